/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The sensor's handler of kvm_exit, whose tracepoint carries the vCPU, run where a guest can drive
 * it on every back end: at kvm_msr, with the vCPU's address given beforehand.
 */
#include "bpf/kvm/exit.bpf.c"

typeof(slot_hints) slot_hints SEC(".bss");
__u64 bench_vcpu SEC(".data.bench") = 0;

SEC("tp_btf/kvm_msr") int vcpu_argument(__u64* ctx) {
  (void)ctx;
  __u64 arguments[2] = {bench_vcpu, 0};
  on_exit(arguments);
  return 0;
}
