/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Programs on functions that are attached, and never run. A weak function that another one
 * overrides loses its name, not its place behind the function before it. Asked where that one is
 * traced, ftrace_location() (kernel/trace/ftrace.c, Linux 6.12) looks over all that lies between
 * two names, and may find the nameless one's entry, which is disabled: the program is attached
 * there, without an error. It is luck of the layout: 6.12.118's kvm_vm_ioctl, not 6.12.117's.
 */
#include "bpf/common.bpf.h"

KS_LICENSE;

struct bpf_prog_aux {
  __u32 id;
} KS_CORE;

struct bpf_prog {
  struct bpf_prog_aux* aux;
} KS_CORE;

struct bpf_link {
  enum bpf_link_type type;
  struct bpf_prog* prog;
} KS_CORE;

struct traced_function {
  void* addr;
} KS_CORE;

struct bpf_trampoline {
  struct traced_function func;
} KS_CORE;

struct bpf_tracing_link {
  struct bpf_trampoline* trampoline;
} KS_CORE;

struct bpf_iter__bpf_link {
  struct bpf_iter_meta* meta;
  struct bpf_link* link;
} KS_CORE;

#define ENDBR64 0xfa1e0ff3

/* nopl 0x0(%rax,%rax,1), five bytes: what the compiler leaves where a function can be traced. */
static __always_inline bool is_nop(const __u32* code) {
  return code[0] == 0x00441f0f && !(code[1] & 0xff);
}

static __always_inline bool begins_untraced(const __u32* code) {
  return is_nop(code) || (code[0] == ENDBR64 && is_nop(code + 1));
}

/* Writes the numbers of such programs. */
SEC("iter/bpf_link") int walk_strays(struct bpf_iter__bpf_link* ctx) {
  struct bpf_link* link = ctx->link;
  if (!link || link->type != BPF_LINK_TYPE_TRACING) return 0;
  void* function = BPF_CORE_READ((struct bpf_tracing_link*)link, trampoline, func.addr);
  __u32 code[3];
  if (!function || bpf_probe_read_kernel(code, sizeof(code), function)) return 0;
  __u32 number = BPF_CORE_READ(link, prog, aux, id);
  if (begins_untraced(code)) bpf_seq_write(ctx->meta->seq, &number, sizeof(number));
  return 0;
}
