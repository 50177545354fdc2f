// A KVM VM in this process that never runs: one vCPU and memory, to make ioctls on, to send
// interrupts to, and for vhost devices to work in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// Memory of this process that is a guest's, at guest address 0. Unmapped on destruction; move-only.
class TestMemory {
 public:
  static absl::StatusOr<TestMemory> Map(size_t bytes);
  TestMemory(TestMemory&& other) noexcept;
  TestMemory& operator=(TestMemory&& other) noexcept;
  ~TestMemory();

  std::span<std::byte> bytes() const { return bytes_; }
  uint64_t address() const;  // in this process

 private:
  explicit TestMemory(std::span<std::byte> bytes) : bytes_(bytes) {}
  std::span<std::byte> bytes_;
};

// Destroyed with it, as far as nothing else holds its files. Move-only.
class TestVm {
 public:
  // Its memory is MEMORY, which outlives it. IRQCHIP: with interrupt controllers in the kernel.
  static absl::StatusOr<TestVm> Create(const TestMemory& memory, bool irqchip = false);

  int vm() const { return vm_.get(); }
  int vcpu() const { return vcpu_.get(); }

 private:
  TestVm(Fd vm, Fd vcpu) : vm_(std::move(vm)), vcpu_(std::move(vcpu)) {}
  Fd vm_;
  Fd vcpu_;
};

// A VM with memory of its own. Move-only.
struct TestMachine {
  // BYTES of memory, a multiple of the page size.
  static absl::StatusOr<TestMachine> Create(size_t bytes, bool irqchip = false);

  std::unique_ptr<TestMemory> memory;  // stays where it is
  TestVm vm;
};

}  // namespace kvmsentry
