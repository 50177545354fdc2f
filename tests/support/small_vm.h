// The smallest VM there is, in the process of the test: a page, and one loop that writes to a port.
// Made, run and destroyed in about a millisecond, and each of its exits is the test's own doing.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// Gone with its object, as far as no other process has its files. Move-only.
class SmallVm {
 public:
  // KVM names the calling thread as its creator. Only its own address space can use it.
  static absl::StatusOr<SmallVm> Create(uint32_t vcpus = 1);
  // The same, but its vCPUs are made at once, a thread each: in any order of their births.
  static absl::StatusOr<SmallVm> CreateAtOnce(uint32_t vcpus);

  // Each time a KVM_RUN, which ends with one write to a port: of one occurrence each of
  // KS_METER_PIO and KS_METER_USERSPACE_EXIT. From any thread, also of one vCPU: KVM lets one in.
  absl::Status Run(uint32_t vcpu, uint64_t times) const;

 private:
  SmallVm() = default;
  static absl::StatusOr<SmallVm> CreateWithout(uint32_t vcpus);
  absl::Status AddVcpu(uint32_t index);

  class Page {
   public:
    Page() = default;
    explicit Page(void* address) : address_(address) {}
    Page(Page&& other) noexcept : address_(std::exchange(other.address_, nullptr)) {}
    Page& operator=(Page&& other) noexcept {
      std::swap(address_, other.address_);
      return *this;
    }
    ~Page();
    void* address() const { return address_; }

   private:
    void* address_ = nullptr;
  };

  Page memory_;  // before the files: KVM lets go of it first
  Fd vm_;
  std::vector<Fd> vcpus_;
};

}  // namespace kvmsentry
