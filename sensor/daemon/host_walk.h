// A walk over all open files and what goes with it: everything that must be asked of the host, by a
// worker, before the inventory can judge.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "bpf/kvm/walks.h"
#include "sensor/base/clock.h"
#include "sensor/base/status.h"
#include "sensor/daemon/process_survey.h"
#include "sensor/given/given_book.h"
#include "sensor/inventory/device_reader.h"
#include "sensor/inventory/inventory.h"
#include "sensor/probe/probe.h"

namespace kvmsentry {

struct HostWalkResult {
  KernelTime begin, end;
  bool whole = false;  // all files were walked over
  std::vector<ks_open_file> files;
  std::map<int32_t, DeviceList> devices;
  GivenRecords given;
  ProcessAnswers processes;  // those that hold or made a VM
  // Walks and reads that failed, and the first of them.
  uint64_t failures = 0;
  absl::Status first_failure;

  // What the inventory takes; the files stay here.
  Walk ToWalk() const { return {.begin = begin, .files = files, .devices = devices}; }
};

// For the worker's thread.
class HostWalker {
 public:
  // All outlive it.
  HostWalker(const Probe& probe, ProcessReader* processes, const Clock& clock)
      : probe_(probe), survey_(processes), clock_(clock) {}

  // Only while no job of the worker runs.
  bool CanWalk() const { return probe_.walks_files(); }

  HostWalkResult Walk();
  ProcessAnswers Ask(const std::vector<int32_t>& pids);

 private:
  void WalkDevices(HostWalkResult& result);
  void ReadGiven(HostWalkResult& result);

  const Probe& probe_;
  ProcessSurvey survey_;
  DeviceReader devices_;
  GivenBook given_;
  const Clock& clock_;
};

}  // namespace kvmsentry
