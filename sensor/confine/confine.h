// What each of the sensor's two processes gives up, once it has what it needs. All of it is
// inherited by threads and processes that are made later; threads of one process share its memory,
// so what a thread gave up hinders code that runs in it, and holds only what the whole process gave
// up. A process of root keeps CAP_DAC_OVERRIDE besides: root owns the host's files anyway, and it
// is a user of its own, as the unit's, that protects the host.
#pragma once

#include <string>
#include <vector>

#include "sensor/base/status.h"

namespace kvmsentry {

// FAILED_PRECONDITION that names the capabilities that the two processes need and this one has not:
// without them much would go unseen, and by reasons that nobody understands.
absl::Status CheckRights();

// The loader loads and attaches programs: it keeps CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN of the
// rights that the process has, and the system calls that libbpf makes. It parses no input but
// requests of fixed size.
absl::Status ConfineLoader();

// The daemon parses, judges and serves: it keeps CAP_BPF, to look into maps, CAP_PERFMON, to attach
// the program that looks at switches of tasks, and CAP_SYS_PTRACE, to read /proc of VMMs. It loads
// no program into the kernel, starts none, looks into no other process's memory, mounts nothing,
// and makes no namespace. Before the process has a second thread.
absl::Status ConfineDaemon();

// The calling thread, and those that it makes to serve clients, keep CAP_BPF alone.
absl::Status ConfineServing();

// Where a thread may still write.
struct Writable {
  std::vector<std::string> folders;  // and all below
  std::vector<std::string> removed;  // folders out of which folders may be removed
};

// From here on the calling thread and those that it makes write to files of WRITABLE only, and to
// /dev/null and /dev/kvm, and start no program. By Landlock (Linux 5.19). The kernel lets no thread
// under it look at processes outside, so threads that read /proc of VMMs must be there before
// (security/landlock/ptrace.c). UNIMPLEMENTED where the kernel has no Landlock of that version; a
// folder that does not exist is left out.
absl::Status ConfineWrites(const Writable& writable);

}  // namespace kvmsentry
