#include "sensor/base/clock.h"

#include <ctime>

#include "absl/time/clock.h"

namespace kvmsentry {
namespace {

class MachineClock final : public Clock {
 public:
  KernelTime Now() const override {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return {static_cast<int64_t>(now.tv_sec) * kNsPerSecond + now.tv_nsec};
  }
  absl::Time WallNow() const override { return absl::Now(); }
};

}  // namespace

const Clock& SystemClock() {
  static const MachineClock clock;
  return clock;
}

}  // namespace kvmsentry
