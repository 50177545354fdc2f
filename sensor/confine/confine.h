// What each of the sensor's two processes gives up, once it has what it needs: whoever takes one of
// them over by what it parses or serves gets little more than it had. All of it is inherited by
// threads and processes that are made later.
#pragma once

#include <string>
#include <vector>

#include "sensor/base/status.h"

namespace kvmsentry {

// FAILED_PRECONDITION that names the capabilities that the two processes need and this one has not:
// without them much would go unseen, and by reasons that nobody understands.
absl::Status CheckRights();

// The loader loads and attaches programs: it keeps CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN of the
// rights that the process has, and the system calls that libbpf makes. It parses nothing of
// anybody's.
absl::Status ConfineLoader();

// The daemon parses, judges and serves: it keeps CAP_BPF, to look into maps, CAP_PERFMON, to attach
// the program that looks at switches of tasks, and CAP_SYS_PTRACE, to read /proc of VMMs. It can
// start no other program, look into no other process's memory, mount nothing, and load no module.
// Before the process has a second thread.
absl::Status ConfineDaemon();

// From here on the calling thread and those that it makes write to files below FOLDERS only, and to
// devices that are open to everybody. By Landlock (Linux 5.19). The kernel lets no thread under it
// look at processes outside, so threads that read /proc of VMMs must be there before
// (security/landlock/ptrace.c). UNIMPLEMENTED where the kernel has no Landlock; a folder that is
// not there is left out.
absl::Status ConfineWrites(const std::vector<std::string>& folders);

}  // namespace kvmsentry
