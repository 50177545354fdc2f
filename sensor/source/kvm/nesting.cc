#include "sensor/source/kvm/nesting.h"

#include "bpf/kvm/exit_reason.h"

namespace kvmsentry {
namespace {

// Exit codes of asm/svm.h and exit reasons of asm/vmx.h, the kernel's.
constexpr uint32_t kVmrun = 0x80;
constexpr uint32_t kVmlaunch = 20;
constexpr uint32_t kVmresume = 24;

bool IsNested(uint32_t exit) {
  return exit == exit_member(KS_ISA_SVM, kVmrun) || exit == exit_member(KS_ISA_VMX, kVmlaunch) ||
         exit == exit_member(KS_ISA_VMX, kVmresume);
}

}  // namespace

void Nesting::Entitle(VmId vm, bool given) { given_[vm] = given; }

void Nesting::Forget(VmId vm) {
  given_.erase(vm);
  waiting_.erase(vm);
}

void Nesting::Take(VmId vm, uint32_t exit, KernelTime now) {
  if (!IsNested(exit)) return;
  const auto [waiting, fresh] = waiting_.try_emplace(vm);
  if (fresh) waiting->second.since = now;
  waiting->second.exits.insert(exit);
}

std::vector<std::pair<VmId, uint32_t>> Nesting::Outside(KernelTime now) {
  std::vector<std::pair<VmId, uint32_t>> outside;
  std::erase_if(waiting_, [&](const auto& of_vm) {
    const auto& [vm, waiting] = of_vm;
    const auto given = given_.find(vm);
    if (given == given_.end() && now - waiting.since < kWaitNs) return false;
    if (given != given_.end() && given->second) return true;
    for (const uint32_t exit : waiting.exits) outside.emplace_back(vm, exit);
    return true;
  });
  return outside;
}

}  // namespace kvmsentry
