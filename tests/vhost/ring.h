// The guest's side of a split virtqueue (virtio 1.2, 2.7), in memory that begins at guest address
// 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <linux/virtio_ring.h>

namespace kvmsentry {

class Ring {
 public:
  static constexpr uint16_t kSize = 64;
  static constexpr size_t kBytes = 4096;

  // Lies at OFFSET of MEMORY, in kBytes, zeroed.
  Ring(std::span<std::byte> memory, size_t offset);

  vring_desc* descriptors() const { return descriptors_; }
  vring_avail* available() const { return available_; }
  vring_used* used() const { return used_; }

  // One buffer at a guest address, to be read by the device or, WRITABLE, to be written.
  void Offer(uint64_t address, uint32_t length, bool writable);
  // A head that is no descriptor of this ring, whatever it is.
  void OfferHead(uint16_t head);

  uint16_t offered() const { return offered_; }
  // How many buffers the device has given back; wraps as OFFERED does.
  uint16_t given_back() const;
  // The length that the device wrote into the Nth buffer it gave back.
  uint32_t LengthOf(uint16_t n) const;

 private:
  vring_desc* descriptors_;
  vring_avail* available_;
  vring_used* used_;
  uint16_t offered_ = 0;
};

}  // namespace kvmsentry
