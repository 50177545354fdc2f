#include <string>
#include <utility>
#include <vector>

#include <asm/kvm.h>  // the vectors that asm/svm.h counts on
#include <asm/svm.h>
#include <asm/vmx.h>

#include "absl/strings/str_cat.h"

#include "bpf/kvm/exit_reason.h"
#include "sensor/source/kvm/names.h"

namespace kvmsentry {
namespace {

// The kernel's own tables for its traces, of both vendors.
struct Traced {
  int64_t code;
  absl::string_view name;
};
constexpr Traced kVmxExits[] = {VMX_EXIT_REASONS};
constexpr Traced kSvmExits[] = {SVM_EXIT_REASONS};

std::vector<std::pair<uint32_t, std::string>> NameVmExits() {
  std::vector<std::pair<uint32_t, std::string>> names;
  const auto add = [&](absl::string_view vendor, uint32_t isa, std::span<const Traced> table) {
    for (const auto& [code, name] : table) {
      const uint32_t index = exit_index(isa, static_cast<uint32_t>(code));
      if (index == KS_EXIT_OTHER || index == KS_EXIT_FAILED_ENTRY) continue;
      names.emplace_back(exit_member(isa, index), absl::StrCat(vendor, ":", name));
    }
    names.emplace_back(exit_member(isa, KS_EXIT_FAILED_ENTRY),
                       absl::StrCat(vendor, ":failed-entry"));
    names.emplace_back(exit_member(isa, KS_EXIT_OTHER), absl::StrCat(vendor, ":other"));
  };
  add("vmx", KS_ISA_VMX, kVmxExits);
  add("svm", KS_ISA_SVM, kSvmExits);
  return names;
}

}  // namespace

std::span<const NamedMember> VmExitNames() {
  static const auto* const texts = new std::vector<std::pair<uint32_t, std::string>>(NameVmExits());
  static const auto* const names = [] {
    auto* all = new std::vector<NamedMember>;
    for (const auto& [member, text] : *texts) all->push_back({member, text});
    return all;
  }();
  return *names;
}

}  // namespace kvmsentry
