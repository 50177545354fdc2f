// Waiting for a condition that another process or the kernel brings about.
#pragma once

#include <algorithm>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace kvmsentry {

// Long enough for a host that is busy with other things: a test that waits it out has failed.
inline constexpr absl::Duration kPatience = absl::Seconds(180);

// Whether CONDITION came true within LIMIT. It is asked often at first and then less, for it may
// cost what it waits for: a call to the daemon where the processor is emulated.
template <typename Condition>
bool WaitUntil(Condition condition, absl::Duration limit = kPatience) {
  const absl::Time deadline = absl::Now() + limit;
  absl::Duration pause = absl::Milliseconds(1);
  while (!condition()) {
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(pause);
    pause = std::min(2 * pause, absl::Milliseconds(50));
  }
  return true;
}

}  // namespace kvmsentry
