// Tells libbpf what programs attach to, from the index that there is of the kernel's types. By
// itself it walks over all of them, some hundred thousand, once for each program: a third of a
// start.
#pragma once

#include "sensor/probe/kernel.h"

namespace kvmsentry {

// While it lives, functions and tracepoints of objects that are opened and loaded are looked up in
// a kernel's index; one at a time in a process, like libbpf's handlers of sections.
class AttachTargets {
 public:
  // KERNEL outlives it.
  explicit AttachTargets(const Kernel& kernel);
  ~AttachTargets();
  AttachTargets(const AttachTargets&) = delete;
  AttachTargets& operator=(const AttachTargets&) = delete;
};

}  // namespace kvmsentry
