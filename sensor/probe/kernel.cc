#include "sensor/probe/kernel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/base/fd.h"
#include "sensor/probe/function_probes.h"
#include "sensor/probe/preemption.h"
#include "sensor/probe/sight.h"

namespace kvmsentry {
namespace {

constexpr absl::string_view kWatched[] = {
    "kvm",   "kvm_amd",   "kvm_intel",
    "vhost", "vhost_net", "vhost_vsock",
    "vfio",  "tun",       "vmw_vsock_virtio_transport_common"};

// Built in or loaded.
bool HasModule(absl::string_view name) {
  return access(absl::StrCat("/sys/module/", name).c_str(), F_OK) == 0;
}

// Each program has one: free slots, budgets and sets are taken so.
absl::Status HasFetchingAtomics() {
  constexpr bpf_insn kProgram[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 0},
      {.code = BPF_STX | BPF_MEM | BPF_DW,
       .dst_reg = BPF_REG_10,
       .src_reg = BPF_REG_0,
       .off = -8,
       .imm = 0},
      // lock r0 = fetch_add(*(u64*)(r10 - 8), r0)
      {.code = BPF_STX | BPF_ATOMIC | BPF_DW,
       .dst_reg = BPF_REG_10,
       .src_reg = BPF_REG_0,
       .off = -8,
       .imm = BPF_ADD | BPF_FETCH},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  };
  const Fd program(bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "atomics", "GPL", kProgram,
                                 std::size(kProgram), nullptr));
  // Without the right to load it, loading what is needed will say so.
  if (program || errno != EINVAL) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("this kernel's BPF has no atomic operation that returns a value (Linux 5.12), "
                   "and no counter works "
                   "without; boot ",
                   kOldestTested, " or newer"));
}

absl::Status NotLoaded(absl::string_view module) {
  return absl::UnavailableError(absl::StrCat(
      "module ", module, " not loaded, or not in this kernel; attached as soon as it is"));
}

// The types of the kernel's modules as objects of its own, by their names.
std::map<std::string, Fd> TypesOfModules() {
  std::map<std::string, Fd> modules;
  for (uint32_t id = 0; bpf_btf_get_next_id(id, &id) == 0;) {
    Fd fd(bpf_btf_get_fd_by_id(id));
    std::array<char, 64> name{};  // MODULE_NAME_LEN, include/linux/moduleparam.h
    bpf_btf_info info{};
    info.name = reinterpret_cast<uint64_t>(name.data());
    info.name_len = name.size();
    uint32_t size = sizeof(info);
    if (!fd || bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) continue;
    const bool watched = std::ranges::find(kWatched, name.data()) != std::end(kWatched);
    if (info.kernel_btf != 0 && watched) modules[name.data()] = std::move(fd);
  }
  return modules;
}

bool HasHardwareBackEnd() { return HasModule("kvm_intel") || HasModule("kvm_amd"); }

std::vector<absl::string_view> FunctionsOf(const Hook& hook) {
  std::vector<absl::string_view> functions = {hook.name};
  functions.insert(functions.end(), hook.with.begin(), hook.with.end());
  functions.insert(functions.end(), hook.with_if_there.begin(), hook.with_if_there.end());
  return functions;
}

}  // namespace

bool Kernel::HasKvm() { return HasModule("kvm"); }

void Kernel::BtfDeleter::operator()(btf* types) const { btf__free(types); }

absl::StatusOr<Kernel> Kernel::Inspect(std::span<const Hook* const> hooks) {
  KVMSENTRY_RETURN_IF_ERROR(HasFetchingAtomics());
  Kernel kernel;
  kernel.vmlinux_.reset(btf__load_vmlinux_btf());
  if (kernel.vmlinux_ == nullptr) {
    return absl::FailedPreconditionError(
        "/sys/kernel/btf/vmlinux: this kernel has no BTF; boot one built with "
        "CONFIG_DEBUG_INFO_BTF");
  }
  kernel.vmlinux_names_.Add(*kernel.vmlinux_);
  kernel.trampolines_ = CanTrampoline(*kernel.vmlinux_);
  kernel.kprobes_ = CanKprobe();
  kernel.preempts_programs_ = PreemptsTracepoints(*kernel.vmlinux_);
  std::map<std::string, Fd> objects = TypesOfModules();
  std::error_code gone;  // no module, or none just now
  for (const auto& entry : std::filesystem::directory_iterator("/sys/kernel/btf", gone)) {
    const std::string module = entry.path().filename();
    if (module == "vmlinux") continue;
    BtfPtr types(btf__load_module_btf(module.c_str(), kernel.vmlinux_.get()));
    if (types == nullptr) continue;
    if (std::ranges::find(kWatched, module) != std::end(kWatched)) {
      Module& added = kernel.modules_.emplace_back();
      added.names.Add(*types, btf__type_cnt(kernel.vmlinux_.get()));
      added.types = std::move(types);
      added.fd = std::move(objects[module]);  // none where it went just now
    } else {
      kernel.NoteNamesakes(*types, hooks);
    }
  }
  return kernel;
}

// Only of the module's own types, which follow vmlinux's: there are few.
void Kernel::NoteNamesakes(const btf& types, std::span<const Hook* const> hooks) {
  TypeNames names;
  names.Add(types, btf__type_cnt(vmlinux_.get()));
  for (const Hook* hook : hooks) {
    if (hook->module.empty()) continue;
    for (const absl::string_view function : FunctionsOf(*hook)) {
      if (names.Has(function, BTF_KIND_FUNC)) ambiguous_.push_back(function);
    }
  }
}

bool Kernel::HasInVmlinux(absl::string_view name, uint32_t kind) const {
  return vmlinux_names_.Has(name, kind);
}

bool Kernel::Has(absl::string_view name, uint32_t kind) const {
  return TargetOf(name, kind).number != 0;
}

Kernel::Target Kernel::TargetOf(absl::string_view name, uint32_t kind) const {
  if (const uint32_t number = vmlinux_names_.NumberOf(name, kind)) return {number};
  for (const Module& module : modules_) {
    if (const uint32_t number = module.names.NumberOf(name, kind)) {
      return {number, module.fd.get()};
    }
  }
  return {};
}

// Where a function is inlined everywhere, BTF does not have it either.
absl::Status Kernel::HasFunction(const Hook& hook) const {
  KVMSENTRY_RETURN_IF_ERROR(HasTypesOf(hook));
  for (const absl::string_view function : FunctionsOf(hook)) {
    if (std::ranges::find(ambiguous_, function) == ambiguous_.end()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("several modules have a function ", function,
                     ", and the kernel takes any: unload the one that is not ", hook.module));
  }
  const bool superseded = !hook.superseded_by.empty() && Has(hook.superseded_by, BTF_KIND_FUNC);
  if (!superseded) KVMSENTRY_RETURN_IF_ERROR(HasFunctionNamed(hook.name));
  for (const absl::string_view function : hook.with) {
    KVMSENTRY_RETURN_IF_ERROR(HasFunctionNamed(function));
  }
  return absl::OkStatus();
}

std::vector<absl::string_view> Kernel::AbsentOf(const Hook& hook) const {
  std::vector<absl::string_view> absent;
  for (const absl::string_view function : hook.with_if_there) {
    if (!Has(function, BTF_KIND_FUNC)) absent.push_back(function);
  }
  if (!hook.superseded_by.empty() && !Has(hook.superseded_by, BTF_KIND_FUNC)) {
    absent.push_back(hook.superseded_by);
  }
  return absent;
}

absl::Status Kernel::HasFunctionNamed(absl::string_view function) const {
  if (Has(function, BTF_KIND_FUNC)) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("this kernel's BTF has no function ", function));
}

absl::Status Kernel::HasTypesOf(const Hook& hook) const {
  const bool known =
      hook.types.empty() || std::ranges::any_of(hook.types, [this](absl::string_view type) {
        return Has(type, BTF_KIND_STRUCT);
      });
  if (known) return absl::OkStatus();
  if (!hook.module.empty()) return NotLoaded(hook.module);
  return absl::NotFoundError(
      absl::StrCat("this kernel's BTF has none of ", absl::StrJoin(hook.types, ", ")));
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

// Else each of its hooks would lack something else: a type, a tracepoint, a function.
absl::Status Kernel::HasKvmFor(const Hook& hook) const {
  const bool there = HasKvm() || !absl::StartsWith(hook.name, "kvm_") ||
                     Has(absl::StrCat("btf_trace_", hook.name), BTF_KIND_TYPEDEF) ||
                     Has(hook.name, BTF_KIND_FUNC);
  return there ? absl::OkStatus() : NotLoaded("kvm");
}

absl::Status Kernel::Offers(const Hook& hook, Variant variant) const {
  KVMSENTRY_RETURN_IF_ERROR(HasKvmFor(hook));
  if (hook.hardware_only && !HasHardwareBackEnd()) {
    return absl::UnimplementedError(
        "KVM's back end is neither kvm_intel nor kvm_amd, and emulates every instruction: the hook "
        "would slow its guests down");
  }
  if (!hook.raised_by.empty() && !HasModule(hook.raised_by)) {
    return absl::UnimplementedError(
        absl::StrCat("only ", hook.raised_by, " raises it, which is not KVM's back end here"));
  }
  switch (variant) {
    case Variant::kTpBtfCast:
      // It takes types by their number in vmlinux, so a module's cannot be named to it.
      if (!HasInVmlinux("bpf_rdonly_cast", BTF_KIND_FUNC)) {
        return absl::NotFoundError("this kernel has no bpf_rdonly_cast (Linux 6.2)");
      }
      if (!HasInVmlinux("kvm_vcpu", BTF_KIND_STRUCT)) {
        return absl::NotFoundError("bpf_rdonly_cast cannot name the types of a module");
      }
      [[fallthrough]];
    case Variant::kTpBtf:
      KVMSENTRY_RETURN_IF_ERROR(HasTypesOf(hook));
      // The kernel declares the type of every tracepoint's arguments by this typedef.
      if (Has(absl::StrCat("btf_trace_", hook.name), BTF_KIND_TYPEDEF)) return absl::OkStatus();
      return absl::NotFoundError(absl::StrCat("this kernel's BTF has no tracepoint ", hook.name));
    case Variant::kRawTp:
    case Variant::kSysEnter:
    case Variant::kSysExit:
    case Variant::kOnDemand:
      return HasTypesOf(hook);  // attaching tells the rest
    case Variant::kTp:
      return absl::OkStatus();  // attaching tells
    case Variant::kFentry:
    case Variant::kFexit:
      KVMSENTRY_RETURN_IF_ERROR(HasFunction(hook));
      return trampolines_;
    case Variant::kKprobe:
    case Variant::kKretprobe:
      KVMSENTRY_RETURN_IF_ERROR(HasFunction(hook));
      return kprobes_;
    case Variant::kFile:
      if (hook.file.empty()) return absl::UnimplementedError(hook.remedy);
      if (access(std::string(hook.file).c_str(), R_OK) == 0) return absl::OkStatus();
      return absl::NotFoundError(absl::StrCat(hook.file, " cannot be read: ", hook.remedy));
    case Variant::kIterator:
      if (HasInVmlinux(absl::StrCat("bpf_iter__", hook.name), BTF_KIND_STRUCT)) {
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
