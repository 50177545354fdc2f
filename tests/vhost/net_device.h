// A vhost-net device with a tap of its own, of which only the sending side is set going.
#pragma once

#include <cstdint>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "tests/vhost/device.h"

namespace kvmsentry {

class NetDevice {
 public:
  static constexpr uint32_t kRx = 0;
  static constexpr uint32_t kTx = 1;
  static constexpr size_t kBytes = 3 * Ring::kBytes;  // of guest memory

  // Works in the first kBytes of MEMORY, which outlives it.
  static absl::StatusOr<NetDevice> Open(const TestMemory& memory);

  VhostDevice& vhost() { return vhost_; }
  const Ring& tx() const { return tx_; }

  // Sends FRAMES, at most a ring's, by one kick, and waits until the device has given them back.
  absl::Status Send(uint16_t frames);
  // Kicks with a descriptor that does not exist, and waits for the device's complaint. It stays in
  // the ring: nothing can be sent any more.
  absl::Status SendNonsense();
  // Asks for a ring whose size is no power of two, which the kernel refuses.
  absl::Status AskForOddRing();
  // Waits until the worker has nothing left to do; an ioctl.
  absl::Status Settle() { return vhost_.SetMemory(*memory_); }

 private:
  NetDevice(const TestMemory& memory, Fd tap, VhostDevice vhost);

  const TestMemory* memory_;
  Fd tap_;
  VhostDevice vhost_;
  Ring rx_;
  Ring tx_;
  bool nonsense_ = false;
};

}  // namespace kvmsentry
