// What tests of the running kernel need of this host.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"

namespace kvmsentry {

// In one line what is missing and what to do; empty where nothing is. LABEL is that of the tests
// that need it. A test that cannot run is a failure: it is left out by its label, never in silence.
std::string MissingForBpf(absl::string_view label);

// The same of a guest. Most tests learn it when they start one.
absl::Status HasKvm();

// Whether this host is the lab, whose processor is emulated: what takes many repetitions takes
// fewer there.
bool IsLab();

// Since Linux 7.0 a task may be preempted amid a program on a tracepoint; until it goes on, the
// kernel skips the program for all others of that processor (kernel/trace/bpf_trace.c).
bool KernelPreemptsPrograms();

}  // namespace kvmsentry
