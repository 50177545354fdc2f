#include "sensor/source/resource/latency.h"

namespace kvmsentry {
namespace {

constexpr size_t kSlow = 14;  // 2^14 microseconds

uint64_t Added(uint64_t before, uint64_t now) { return now > before ? now - before : 0; }

}  // namespace

uint64_t LatencyOf(std::span<const uint64_t> before, std::span<const uint64_t> now,
                   uint64_t percent) {
  uint64_t all = 0;
  for (size_t i = 0; i < now.size(); ++i) all += Added(before[i], now[i]);
  if (all == 0) return 0;
  // The request that the percentile is: the first of one is that one.
  const uint64_t wanted = (all * percent + 99) / 100;
  uint64_t passed = 0;
  for (size_t i = 0; i < now.size(); ++i) {
    const uint64_t here = Added(before[i], now[i]);
    if (passed + here >= wanted) {
      const uint64_t begin = uint64_t{1} << i;
      return begin + begin * (wanted - passed) / here;
    }
    passed += here;
  }
  return uint64_t{1} << now.size();
}

uint64_t SlowTimeOf(std::span<const uint64_t> before, std::span<const uint64_t> now) {
  uint64_t time = 0;
  for (size_t i = kSlow; i < now.size(); ++i) time += Added(before[i], now[i]) << i;
  return time;
}

}  // namespace kvmsentry
