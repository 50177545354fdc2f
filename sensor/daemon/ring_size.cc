#include "sensor/daemon/ring_size.h"

#include <algorithm>
#include <bit>

#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "bpf/kvm/records.h"
#include "bpf/vfio/records.h"
#include "bpf/vhost/records.h"
#include "bpf/vmm/records.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kLargestKib = 1 << 20;
// Its pages are mapped twice and all at once (kernel/bpf/ringbuf.c), so it weighs double.
constexpr uint64_t kMost = 4 << 20;

uint64_t SmallestKib() { return static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) / 1024; }

}  // namespace

uint32_t RingBytes(uint32_t max_vms) {
  constexpr uint64_t kRecordHeader = 8;  // the kernel's own, Documentation/bpf/ringbuf.rst
  const uint64_t limits =
      uint64_t{max_vms} *
      (uint64_t{KS_KVM_METERS} + KS_VFIO_METERS + KS_VHOST_METERS + KS_VMM_METERS) *
      KS_LIMITS_PER_METER;
  // User space drains the ring at once, and what finds no room is noted.
  const uint64_t acts = uint64_t{max_vms} * kActsAtOnce;
  const uint64_t bytes = limits * (sizeof(ks_limit_crossed) + kRecordHeader) +
                         acts * (sizeof(ks_vmm_act) + kRecordHeader) +
                         KS_BIRTHS_PER_SECOND * (sizeof(ks_vm_born) + kRecordHeader) +
                         sizeof(ks_canary) + kRecordHeader;
  return static_cast<uint32_t>(std::bit_ceil(std::clamp<uint64_t>(bytes, 64 << 10, kMost)));
}

std::string ProblemWithRingKib(const std::string& text) {
  uint64_t kib = 0;
  const std::string range =
      absl::StrCat("a power of two from ", SmallestKib(), ", a page, to ", kLargestKib);
  if (!absl::SimpleAtoi(text, &kib)) return absl::StrCat(text, " is no number; give ", range);
  if (kib == 0 || (std::has_single_bit(kib) && kib >= SmallestKib() && kib <= kLargestKib)) {
    return {};
  }
  return absl::StrCat("the kernel takes no ring of ", kib, " KiB; give ", range, ", for instance ",
                      std::bit_ceil(std::clamp(kib, SmallestKib(), kLargestKib)),
                      ", or 0 to have it computed");
}

}  // namespace kvmsentry
