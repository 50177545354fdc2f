#include "sensor/phase/phase.h"

#include <algorithm>
#include <tuple>

namespace kvmsentry {

std::vector<Observation> Phase::Take(std::vector<Event> events) {
  std::ranges::sort(events, [](const Event& a, const Event& b) {
    return std::tie(a.time, a.serial, a.vm, a.part, a.kind, a.arguments) <
           std::tie(b.time, b.serial, b.vm, b.part, b.kind, b.arguments);
  });
  std::vector<Observation> entered;
  for (const Event& event : events) {
    auto known = now_.find({event.vm, event.part});
    if (known == now_.end()) {
      if (now_.size() == kMostFollowed) {
        ++not_followed_;
        continue;
      }
      known = now_.try_emplace({event.vm, event.part}, Now{table_.initial, event.time}).first;
    }
    Now& now = known->second;
    if (event.time < now.since) {
      ++late_;
      continue;
    }
    now.since = event.time;
    const auto taken = std::ranges::find_if(table_.transitions, [&](const Transition& t) {
      return (t.from == kAnyState || t.from == now.state) && t.event == event.kind &&
             (t.when == nullptr || t.when(event));
    });
    if (taken == table_.transitions.end() || taken->to == now.state) continue;
    now.state = taken->to;
    entered.push_back({.time = event.time,
                       .vm = event.vm,
                       .part = event.part,
                       .kind = ObservationKind::kState,
                       .feature = table_.feature,
                       .value = now.state});
  }
  return entered;
}

void Phase::Forget(VmId vm) {
  const auto first = now_.lower_bound({vm, PartId{}});
  const auto last = now_.lower_bound({VmId{vm.serial + 1}, PartId{}});
  now_.erase(first, last);
}

uint64_t Phase::StateOf(VmId vm, PartId part) const {
  const auto known = now_.find({vm, part});
  return known == now_.end() ? table_.initial : known->second.state;
}

}  // namespace kvmsentry
