#include "sensor/source/limit_rows.h"

#include <cstring>

#include "sensor/base/load.h"

namespace kvmsentry {
namespace {

static_assert(kLimitsPerMeter == KS_LIMITS_PER_METER);

void Store(uint64_t& value, uint64_t next) { __atomic_store_n(&value, next, __ATOMIC_RELEASE); }

void SetLimit(const Limit& limit, ks_limit_row& row) {
  const auto window = static_cast<uint64_t>(limit.window_ns);
  if (Load(row.window_ns) == window && Load(row.max) == limit.count) return;
  Store(row.window_ns, 0);
  std::memset(row.marks, 0, sizeof(row.marks));
  Store(row.reported_ns, 0);
  Store(row.untold, 0);
  Store(row.max, limit.count);
  Store(row.window_ns, window);
}

}  // namespace

void SetLimits(SourceId source, std::span<const Limit> limits, std::span<ks_meter_limits> rows) {
  std::vector<size_t> taken(rows.size());
  for (const Limit& limit : limits) {
    const size_t meter = limit.meter.meter;
    if (limit.meter.source != source || meter >= rows.size()) continue;
    if (taken[meter] < kLimitsPerMeter) SetLimit(limit, rows[meter].rows[taken[meter]++]);
  }
  for (size_t meter = 0; meter < rows.size(); ++meter) {
    for (size_t i = taken[meter]; i < kLimitsPerMeter; ++i) {
      if (Load(rows[meter].rows[i].window_ns) != 0) Store(rows[meter].rows[i].window_ns, 0);
    }
  }
}

void LookAtOnce(std::span<ks_meter_row> meters) {
  for (ks_meter_row& meter : meters) Store(meter.checkpoint, 0);
}

void TakeUntold(SourceId source, VmId vm, std::span<ks_meter_limits> rows,
                std::vector<ks_limit_crossed>* out) {
  for (size_t meter = 0; meter < rows.size(); ++meter) {
    for (ks_limit_row& row : rows[meter].rows) {
      if (Load(row.untold) == 0) continue;
      ks_limit_crossed record{};
      record.counted = __atomic_exchange_n(&row.untold, 0, __ATOMIC_SEQ_CST);
      record.header = {.version = KS_LAYOUT_VERSION,
                       .kind = KS_RECORD_LIMIT,
                       .size = sizeof(record),
                       .time_ns = Load(row.untold_ns),
                       .vm_serial = vm.serial};
      record.source = static_cast<uint16_t>(source);
      record.meter = static_cast<uint16_t>(meter);
      record.max = Load(row.max);
      record.window_ns = Load(row.window_ns);
      record.last = Load(row.untold_last);
      if (record.window_ns != 0 && record.counted > record.max) out->push_back(record);
    }
  }
}

}  // namespace kvmsentry
