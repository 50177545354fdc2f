#include "sensor/engine/order.h"

#include <algorithm>
#include <tuple>

namespace kvmsentry {
namespace {

bool TakenBefore(const Observation& a, const Observation& b) {
  // What nearly always decides, first and cheaply.
  if (a.time != b.time) return a.time < b.time;
  if (a.vm != b.vm) return a.vm < b.vm;
  const auto key = [](const Observation& o) {
    return std::tie(o.kind, o.serial, o.feature, o.part, o.value, o.window_ns, o.detail, o.lossy);
  };
  if (key(a) != key(b)) return key(a) < key(b);
  if (a.member == nullptr || b.member == nullptr) return a.member == nullptr && b.member != nullptr;
  return *a.member < *b.member;
}

}  // namespace

Order InOrder(std::span<const Observation> observations) {
  Order order;
  order.reserve(observations.size());
  for (const Observation& observation : observations) order.push_back(&observation);
  std::ranges::sort(order,
                    [](const Observation* a, const Observation* b) { return TakenBefore(*a, *b); });
  return order;
}

}  // namespace kvmsentry
