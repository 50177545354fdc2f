// The test guest (tests/guest) and the test VMM (tests/vmm) as child processes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sensor/base/status.h"
#include "tests/support/process.h"

namespace kvmsentry {

// What one vCPU did, by its own count.
struct GuestVcpu {
  uint32_t vm = 0;  // in the order of creation
  uint32_t vcpu = 0;
  uint64_t operations = 0;
  uint64_t gp_faults = 0;
  uint64_t io_exits = 0;
  uint64_t mmio_exits = 0;
  uint64_t hlt_exits = 0;
  uint64_t interrupted = 0;
  uint64_t ring_full_exits = 0;
  uint64_t dirty_pages = 0;
  uint64_t dirty_resets = 0;
  uint64_t Exits() const {
    return io_exits + mmio_exits + hlt_exits + interrupted + ring_full_exits;
  }
};

struct GuestReport {
  std::vector<GuestVcpu> vcpus;
  uint64_t operations = 0;  // of all
  double seconds = 0;       // from the first operation to the last
};

class Guest {
 public:
  // Sets everything up, VMs and vCPUs, but runs nothing yet. OPTIONS as of kvmsentry-test-guest, a
  // command line; PREFIX is a command to run it by.
  static absl::StatusOr<Guest> Start(absl::string_view options,
                                     const std::vector<std::string>& prefix = {});
  // The same of kvmsentry-test-vmm, whose guest never runs.
  static absl::StatusOr<Guest> StartVmm(absl::string_view options,
                                        const std::vector<std::string>& prefix = {});

  pid_t pid() const { return pid_; }  // of the guest itself, whatever it was run by
  Process& process() { return process_; }

  absl::Status Begin();
  // Ends a guest that would go on: waits for nothing.
  absl::Status Stop();
  // Waits for its end, which must be a success.
  absl::StatusOr<GuestReport> Finish(absl::Duration limit = kPatience);

 private:
  static absl::StatusOr<Guest> StartProgram(std::vector<std::string> command,
                                            absl::string_view options);
  Guest(Process process, pid_t pid) : process_(std::move(process)), pid_(pid) {}
  Process process_;
  pid_t pid_;
};

// Starts a guest, lets it run to its end by itself, and returns its process id and report.
struct FinishedGuest {
  pid_t pid = 0;
  GuestReport report;
};
absl::StatusOr<FinishedGuest> RunGuest(absl::string_view options,
                                       const std::vector<std::string>& prefix = {});

}  // namespace kvmsentry
