// A vhost-vsock device whose guest accepts every connection, and a socket of the host to it.
#pragma once

#include <cstdint>

#include <linux/virtio_vsock.h>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "tests/vhost/device.h"

namespace kvmsentry {

class VsockDevice {
 public:
  static constexpr uint32_t kRx = 0;
  static constexpr uint32_t kTx = 1;
  static constexpr size_t kBytes = 64 * Ring::kBytes;  // of guest memory

  // Works in the first kBytes of MEMORY, which outlives it, as guest CID.
  static absl::StatusOr<VsockDevice> Open(const TestMemory& memory, uint32_t cid);

  VhostDevice& vhost() { return vhost_; }

  // A stream from the host to the guest; once.
  absl::Status Connect();
  // The host sends BYTES, and the guest has got them.
  absl::Status HostSends(size_t bytes);
  // The guest sends BYTES, at most kPayload, in one packet, and the host has got them.
  absl::Status GuestSends(uint32_t bytes);

  static constexpr uint32_t kPayload = 4096;

 private:
  VsockDevice(const TestMemory& memory, VhostDevice vhost, uint32_t cid);

  virtio_vsock_hdr* HeaderAt(uint64_t address) const;
  // The next packet that the guest is handed, valid until the one after it.
  absl::StatusOr<virtio_vsock_hdr> Receive();
  absl::Status Transmit(uint16_t operation, uint32_t payload);

  const TestMemory* memory_;
  VhostDevice vhost_;
  uint32_t cid_;
  Ring rx_;
  Ring tx_;
  uint16_t received_ = 0;
  Fd socket_;
  virtio_vsock_hdr request_{};  // of the connection
  uint32_t got_ = 0;            // payload, by the guest ...
  uint32_t told_ = 0;           // ... and what of that the host has heard
};

}  // namespace kvmsentry
