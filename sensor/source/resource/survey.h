// What the source resource has done once a second, on a thread of its own: the passes, who ran
// where a vCPU waited, and the few files that the kernel does not let programs read.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sensor/base/clock.h"
#include "sensor/base/fd.h"
#include "sensor/base/ids.h"
#include "sensor/base/status.h"
#include "sensor/base/time.h"
#include "sensor/source/resource/file_turns.h"
#include "sensor/source/resource/group_files.h"
#include "sensor/source/resource/tables.h"

namespace kvmsentry {

// Thread safe. The destructor waits for a step under way.
class Survey {
 public:
  // What it works with, owned by the probe; negative where it is not to be had.
  struct Programs {
    Pass vms, taps;
    int switches = -1;  // a program, to be attached
    int tap_map = -1, victim_map = -1, taker_map = -1;
  };
  // What PROGRAMS names outlives it.
  static std::unique_ptr<Survey> Start(const Programs& programs);
  ~Survey();
  // From the next step on: more programs have come to be loaded.
  void Use(const Programs& programs);
  Survey(const Survey&) = delete;
  Survey& operator=(const Survey&) = delete;

  // A thread whose waits are to be looked at.
  struct Victim {
    uint32_t tid = 0;
    VmId vm;
    friend auto operator<=>(const Victim&, const Victim&) = default;
  };
  // From now on. Of WANTED the urgent are read each second, of the others a few each. Where there
  // are VICTIMS, every switch of tasks on the host is looked at, for as long as there are.
  void Want(std::vector<FilesWanted> wanted, std::vector<Victim> victims);

  struct GroupSeen {
    KernelTime at;
    GroupFiles files;
  };
  // Who ran, for how long, on a CPU that a vCPU of VICTIM waited for.
  struct Taker {
    VmId victim, taker;  // no taker: a process that is no VMM, or a thread of the kernel
    uint32_t tgid = 0;   // 0: a thread of the kernel
    std::string comm;    // as the kernel has it: the process's own to choose
    std::string cgroup;  // that gives the process its CPU time; empty: the root, or not known
    uint64_t ns = 0;
  };
  struct Report {
    uint64_t passes = 0;                      // that have ended
    absl::Status pass;                        // of the latest
    absl::Status taps;                        // of the latest look at taps
    absl::Status zoom;                        // of the latest try to look at switches of tasks
    std::map<uint64_t, ks_resource_tap> tap;  // by the address of its tun_file
    std::vector<Taker> takers;                // since the report before
    std::map<VmId, GroupSeen> groups;         // what was read of each VM last
    std::map<VmId, std::string> unread;       // why nothing can be read of a VM
  };
  // Nullptr before the first pass has ended.
  std::shared_ptr<const Report> Latest() const;

 private:
  explicit Survey(const Programs& programs);
  void Run(const std::stop_token& stop);
  void Step();
  void ReadFiles(const std::vector<FilesWanted>& wanted, Report* report);
  void ReadGroups(std::vector<Taker>* takers) const;
  absl::Status LookAtSwitches(std::vector<Victim> victims);

  Programs programs_;  // the thread's, as what follows
  absl::StatusOr<GroupReader> reader_;
  FileTurns turns_;
  std::vector<Victim> victims_;  // those in the kernel's map
  Fd switches_;                  // the link, while there are victims
  mutable std::mutex mutex_;
  std::condition_variable_any stopped_;
  Programs newest_;  // guarded by mutex_, as what follows
  std::vector<FilesWanted> wanted_;
  std::vector<Victim> want_victims_;  // see Want()
  std::shared_ptr<const Report> latest_;
  std::jthread thread_;
};

}  // namespace kvmsentry
