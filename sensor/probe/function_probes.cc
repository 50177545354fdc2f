#include "sensor/probe/function_probes.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/base/fd.h"

namespace kvmsentry {
namespace {

// Made to be probed, and never called but by the kernel's own tests (net/bpf/test_run.c).
constexpr char kFunction[] = "bpf_fentry_test1";
constexpr char kKprobeType[] = "/sys/bus/event_source/devices/kprobe/type";

}  // namespace

absl::Status CanTrampoline(const btf& vmlinux) {
  const int function = btf__find_by_name_kind(&vmlinux, kFunction, BTF_KIND_FUNC);
  if (function <= 0) return absl::OkStatus();
  constexpr bpf_insn kProgram[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 0},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  };
  bpf_prog_load_opts options{};
  options.sz = sizeof(options);
  options.expected_attach_type = BPF_TRACE_FENTRY;
  options.attach_btf_id = static_cast<uint32_t>(function);
  const Fd program(bpf_prog_load(BPF_PROG_TYPE_TRACING, "trampoline", "GPL", kProgram,
                                 std::size(kProgram), &options));
  if (program) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("programs on functions are refused: ", std::strerror(errno)));
}

absl::Status CanKprobe() {
  std::ifstream file(kKprobeType);
  uint32_t type = 0;
  if (!(file >> type))
    return absl::NotFoundError("this kernel has no kprobes; CONFIG_KPROBES adds them");
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = type;
  attributes.config1 = reinterpret_cast<uint64_t>(kFunction);  // kprobe_func
  const Fd event(
      static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
  if (event) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("kprobes are refused: ", std::strerror(errno)));
}

}  // namespace kvmsentry
