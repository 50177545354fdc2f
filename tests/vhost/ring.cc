#include "tests/vhost/ring.h"

#include <cstring>

namespace kvmsentry {
namespace {

constexpr size_t kAvailable = Ring::kSize * sizeof(vring_desc);
constexpr size_t kUsed = 2048;
static_assert(kAvailable + 6 + 2 * Ring::kSize <= kUsed);
static_assert(kUsed + 6 + sizeof(vring_used_elem) * Ring::kSize <= Ring::kBytes);

}  // namespace

Ring::Ring(std::span<std::byte> memory, size_t offset) {
  std::byte* start = memory.subspan(offset, kBytes).data();
  std::memset(start, 0, kBytes);
  descriptors_ = reinterpret_cast<vring_desc*>(start);
  available_ = reinterpret_cast<vring_avail*>(start + kAvailable);
  used_ = reinterpret_cast<vring_used*>(start + kUsed);
}

void Ring::Offer(uint64_t address, uint32_t length, bool writable) {
  const uint16_t head = offered_ % kSize;
  const uint16_t flags = writable ? VRING_DESC_F_WRITE : 0;
  descriptors_[head] = {.addr = address, .len = length, .flags = flags, .next = 0};
  OfferHead(head);
}

void Ring::OfferHead(uint16_t head) {
  available_->ring[offered_ % kSize] = head;
  ++offered_;
  __atomic_store_n(&available_->idx, offered_, __ATOMIC_RELEASE);
}

uint16_t Ring::given_back() const { return __atomic_load_n(&used_->idx, __ATOMIC_ACQUIRE); }

uint32_t Ring::LengthOf(uint16_t n) const { return used_->ring[n % kSize].len; }

}  // namespace kvmsentry
