// The line that --report prints.
#pragma once

#include <string>

#include <sys/types.h>

#include "absl/types/span.h"

#include "tests/guest/vcpu_task.h"
#include "tests/guest/workload.h"

namespace kvmsentry::guest {

// "exits" are a vCPU's returns from KVM_RUN, so their sum is its number of kvm_userspace_exit
// events: HLT holds the halts of a calm vCPU and of each batch's end, INTR the signals that ended a
// storm. "seconds" runs from the first vCPU's beginning to the last one's end, calm vCPUs left out;
// "ns_per_operation" is that time by all operations, null where there were none.
std::string ReportJson(pid_t pid, Behaviour behaviour, absl::Span<const VcpuReport> vcpus);

}  // namespace kvmsentry::guest
