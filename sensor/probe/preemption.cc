#include "sensor/probe/preemption.h"

#include <cstdint>
#include <iterator>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "sensor/base/fd.h"

namespace kvmsentry {
namespace {

// Of each CPU; arch/x86/include/asm/preempt.h. Linux 6.2 to 6.14 have it elsewhere, and
// preempt nobody there.
constexpr char kCount[] = "__preempt_count";
constexpr int kAllButNeedResched = 0x7fffffff;  // PREEMPT_NEED_RESCHED is kept in the highest bit

template <uint8_t kTo, uint8_t kKind>
constexpr bpf_insn Load(int low) {
  return {
      .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = kTo, .src_reg = kKind, .off = 0, .imm = low};
}
constexpr bpf_insn High() { return {.code = 0, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}; }
constexpr bpf_insn Call(int helper) {
  return {.code = BPF_JMP | BPF_CALL, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = helper};
}
constexpr bpf_insn Exit() {
  return {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0};
}

// A program that sets the word in RESULT, a map of one, if it runs with preemption on.
Fd LoadProgram(int count, int result) {
  const bpf_insn program[] = {
      Load<BPF_REG_1, BPF_PSEUDO_BTF_ID>(count),
      High(),
      Call(BPF_FUNC_this_cpu_ptr),
      // w1 = *(u32*)r0 & kAllButNeedResched; w0 = 0; if w1 != 0 exit
      {.code = BPF_LDX | BPF_MEM | BPF_W,
       .dst_reg = BPF_REG_1,
       .src_reg = BPF_REG_0,
       .off = 0,
       .imm = 0},
      {.code = BPF_ALU | BPF_AND | BPF_K,
       .dst_reg = BPF_REG_1,
       .src_reg = 0,
       .off = 0,
       .imm = kAllButNeedResched},
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 0},
      {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = BPF_REG_1, .src_reg = 0, .off = 3, .imm = 0},
      Load<BPF_REG_2, BPF_PSEUDO_MAP_VALUE>(result),
      High(),
      // *(u32*)r2 = 1
      {.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_2, .src_reg = 0, .off = 0, .imm = 1},
      Exit(),
  };
  return Fd(bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "preemption", "GPL", program,
                          std::size(program), nullptr));
}

}  // namespace

bool PreemptsTracepoints(const btf& vmlinux) {
  const int count = btf__find_by_name_kind(&vmlinux, kCount, BTF_KIND_VAR);
  // Without the function nobody is ever preempted, and the count need not count.
  const int preempt = btf__find_by_name_kind(&vmlinux, "preempt_schedule_irq", BTF_KIND_FUNC);
  if (count <= 0 || preempt <= 0) return false;
  constexpr uint32_t kWord = sizeof(uint32_t);
  const Fd result(bpf_map_create(BPF_MAP_TYPE_ARRAY, "preemption", kWord, kWord, 1, nullptr));
  const Fd program = result ? LoadProgram(count, result.get()) : Fd();
  const Fd link(program ? bpf_raw_tracepoint_open("kfree", program.get()) : -1);
  if (!link) return false;
  // The first look makes it fire: the kernel frees its copies of key and value, holding no lock.
  const uint32_t first = 0;
  uint32_t preempted = 0;
  for (int look = 0; look < 2; ++look) {
    if (bpf_map_lookup_elem(result.get(), &first, &preempted) != 0) return false;
  }
  return preempted != 0;
}

}  // namespace kvmsentry
