#include "sensor/probe/attach_targets.h"

#include <atomic>
#include <cerrno>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

std::atomic<const Kernel*> current;

// The target of SECTION, "fentry/FUNCTION" or "tp_btf/TRACEPOINT", whose arguments' type is named
// so by the kernel.
Kernel::Target Find(absl::string_view section, bpf_attach_type type) {
  const Kernel* kernel = current.load();
  const absl::string_view name = section.substr(section.find('/') + 1);
  if (kernel == nullptr) return {};
  return type == BPF_TRACE_RAW_TP
             ? kernel->TargetOf(absl::StrCat("btf_trace_", name), BTF_KIND_TYPEDEF)
             : kernel->TargetOf(name, BTF_KIND_FUNC);
}

int PrepareLoad(bpf_program* program, bpf_prog_load_opts* options, long /*cookie*/) {
  const Kernel::Target target =
      Find(bpf_program__section_name(program), bpf_program__expected_attach_type(program));
  if (target.number == 0) return -ESRCH;
  options->attach_btf_id = target.number;
  options->attach_btf_obj_fd = static_cast<uint32_t>(target.module);
  return 0;
}

int Attach(const bpf_program* program, long /*cookie*/, bpf_link** link) {
  *link = bpf_program__attach_trace(program);
  return *link == nullptr ? -errno : 0;
}

// For good: objects keep pointing to libbpf's table of handlers.
bool Register() {
  libbpf_prog_handler_opts options{};
  options.sz = sizeof(options);
  options.prog_prepare_load_fn = PrepareLoad;
  options.prog_attach_fn = Attach;
  const auto add = [&](const char* section, bpf_attach_type type) {
    return libbpf_register_prog_handler(section, BPF_PROG_TYPE_TRACING, type, &options) >= 0;
  };
  return add("fentry+", BPF_TRACE_FENTRY) && add("fexit+", BPF_TRACE_FEXIT) &&
         add("tp_btf+", BPF_TRACE_RAW_TP);
}

}  // namespace

AttachTargets::AttachTargets(const Kernel& kernel) {
  // Where libbpf takes no handlers, it looks for itself.
  [[maybe_unused]] static const bool registered = Register();
  current = &kernel;
}

AttachTargets::~AttachTargets() { current = nullptr; }

}  // namespace kvmsentry
