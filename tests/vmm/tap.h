// A tap of a VMM's own, which is up and goes with it. Nobody reads what comes for the guest.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// Move-only.
class Tap {
 public:
  // By a name that the kernel chooses: kstap0, ... /proc/PID/fdinfo tells it.
  static absl::StatusOr<Tap> Open();

  const std::string& name() const { return name_; }

  // Nothing: what comes stays in the queue.
  absl::Status Idle() { return absl::OkStatus(); }
  // A frame of the guest's.
  absl::Status Send() { return Write(/*kind=*/0); }
  // One with a header that makes no sense, which the kernel must refuse.
  absl::Status SendNonsense();

 private:
  Tap(Fd tap, std::string name) : tap_(std::move(tap)), name_(std::move(name)) {}
  absl::Status Write(uint8_t kind);

  Fd tap_;
  std::string name_;
};

}  // namespace kvmsentry
