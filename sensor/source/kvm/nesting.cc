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

bool MayNest(const Given& given) {
  return given.privileges.nesting.value.value_or(false) && !given.manager.kind.known();
}

void Nesting::Allow(VmId vm, bool allowed) { allowed_[vm] = allowed; }

void Nesting::Forget(VmId vm) {
  allowed_.erase(vm);
  waiting_.erase(vm);
}

void Nesting::Record(VmId vm, uint32_t exit, KernelTime now) {
  if (!IsNested(exit)) return;
  const auto [waiting, fresh] = waiting_.try_emplace(vm);
  if (fresh) waiting->second.since = now;
  waiting->second.exits.insert(exit);
}

std::vector<std::pair<VmId, uint32_t>> Nesting::Drain(KernelTime now) {
  std::vector<std::pair<VmId, uint32_t>> outside;
  std::erase_if(waiting_, [&](const auto& of_vm) {
    const auto& [vm, waiting] = of_vm;
    if (now - waiting.since >= kWaitNs) allowed_.try_emplace(vm, false);
    const auto allowed = allowed_.find(vm);
    if (allowed == allowed_.end()) return false;
    if (allowed->second) return true;
    for (const uint32_t exit : waiting.exits) outside.emplace_back(vm, exit);
    return true;
  });
  return outside;
}

}  // namespace kvmsentry
