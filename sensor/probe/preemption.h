// Whether the kernel preempts tasks amid programs on its tracepoints.
#pragma once

struct btf;

namespace kvmsentry {

// Up to Linux 6.19 a tracepoint's programs run with preemption off; since 7.0 only the classic
// tracepoint's do (include/linux/tracepoint.h, include/trace/perf.h). While a task is preempted
// amid a program, no other on that CPU runs it (bpf_prog_get_recursion_context()). Asked of
// the kernel by a program that looks at its own preempt count; false where that cannot be told.
// VMLINUX are the kernel's types.
bool PreemptsTracepoints(const btf& vmlinux);

}  // namespace kvmsentry
