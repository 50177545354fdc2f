// Waiting for a condition that another process or the kernel brings about.
#pragma once

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace kvmsentry {

// Long enough for a host that is busy with other things: a test that waits it out has failed.
inline constexpr absl::Duration kPatience = absl::Seconds(180);

// Whether CONDITION came true within LIMIT.
template <typename Condition>
bool WaitUntil(Condition condition, absl::Duration limit = kPatience) {
  const absl::Time deadline = absl::Now() + limit;
  while (!condition()) {
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

}  // namespace kvmsentry
