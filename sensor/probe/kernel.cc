#include "sensor/probe/kernel.h"

#include <algorithm>
#include <cerrno>
#include <string>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

namespace kvmsentry {

void Kernel::BtfDeleter::operator()(btf* types) const { btf__free(types); }

absl::StatusOr<Kernel> Kernel::Inspect() {
  Kernel kernel;
  kernel.vmlinux_.reset(btf__load_vmlinux_btf());
  if (kernel.vmlinux_ == nullptr) {
    return absl::FailedPreconditionError(
        "/sys/kernel/btf/vmlinux: this kernel has no BTF; boot one built with "
        "CONFIG_DEBUG_INFO_BTF");
  }
  if (access("/sys/kernel/btf/kvm", R_OK) == 0) {
    kernel.kvm_.reset(btf__load_module_btf("kvm", kernel.vmlinux_.get()));
  }
  return kernel;
}

bool Kernel::HasTypedef(absl::string_view name) const {
  const std::string text(name);
  for (const btf* types : {vmlinux_.get(), kvm_.get()}) {
    if (types != nullptr && btf__find_by_name_kind(types, text.c_str(), BTF_KIND_TYPEDEF) > 0) {
      return true;
    }
  }
  return false;
}

bool Kernel::IteratesOverOneProcess() const {
  const int id = btf__find_by_name_kind(vmlinux_.get(), "bpf_iter_link_info", BTF_KIND_UNION);
  if (id < 0) return false;
  const btf_type* type = btf__type_by_id(vmlinux_.get(), static_cast<uint32_t>(id));
  const std::span members(btf_members(type), btf_vlen(type));
  return std::ranges::any_of(members, [this](const btf_member& member) {
    return absl::string_view(btf__name_by_offset(vmlinux_.get(), member.name_off)) == "task";
  });
}

absl::Status Kernel::Offers(const Hook& hook, Variant variant) const {
  switch (variant) {
    case Variant::kTpBtfCast:
    case Variant::kTpBtf:
      // The kernel declares the type of every tracepoint's arguments by this typedef.
      if (HasTypedef(absl::StrCat("btf_trace_", hook.name))) return absl::OkStatus();
      return absl::NotFoundError(
          absl::StrCat("this kernel's BTF has no tracepoint ", hook.name, "; is KVM loaded?"));
    case Variant::kRawTp:
      return absl::OkStatus();  // attaching tells
    case Variant::kIterator:
      if (btf__find_by_name_kind(vmlinux_.get(), absl::StrCat("bpf_iter__", hook.name).c_str(),
                                 BTF_KIND_STRUCT) > 0) {
        return absl::OkStatus();
      }
      return absl::NotFoundError(absl::StrCat("this kernel has no iterator ", hook.name));
    case Variant::kProcessIterator:
      if (IteratesOverOneProcess()) return absl::OkStatus();
      return absl::NotFoundError("this kernel has no iterator over one process: it is Linux 6.1's");
  }
  return absl::InternalError("unknown variant");
}

}  // namespace kvmsentry
