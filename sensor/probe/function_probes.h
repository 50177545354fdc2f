// Whether the kernel lets anybody probe its functions, asked once: on a locked-down kernel each
// hook would else be tried, and refused, one by one.
#pragma once

#include "sensor/base/status.h"

struct btf;

namespace kvmsentry {

// By fentry and fexit. OK where it works, or where nothing is there to try it on. VMLINUX has the
// kernel's types.
absl::Status CanTrampoline(const btf& vmlinux);

// By kprobe and kretprobe.
absl::Status CanKprobe();

}  // namespace kvmsentry
