// Other processes that do a part of a VMM's work: virtiofsd, swtpm, passt and the like. They are
// found by their names among all processes, and belong to a VM by a socket or by their parent. A
// name is anyone's to choose: a helper is a fact to look at, no proof.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"
#include "sensor/given/given.h"
#include "sensor/given/merge.h"

namespace kvmsentry {

struct HelperProcess {
  std::string kind;  // "virtiofsd"
  int32_t pid = 0;
  int32_t parent = 0;
  uint64_t start_ticks = 0;  // proc_pid_stat(5)
  std::vector<std::string> args;
  std::set<uint64_t> sockets;  // inodes that it has open
};

// Reads the processes of the host once for all VMs of a round. Not thread safe.
class HelperFinder {
 public:
  explicit HelperFinder(std::string proc_root) : root_(std::move(proc_root)) {}

  // A new round: processes come and go.
  void Forget() { found_.reset(); }
  std::span<const HelperProcess> All();

  // The processes that the first thread of PID made and that live, by their names. None where the
  // kernel does not list them (CONFIG_PROC_CHILDREN).
  std::vector<given::Helper> ChildrenOf(int32_t pid) const;

  static constexpr size_t kMaxHelpers = 1024;

 private:
  std::optional<HelperProcess> Look(int32_t pid) const;

  std::string root_;
  std::optional<std::vector<HelperProcess>> found_;
};

// ---- Pure ---------------------------------------------------------------------------------------

// "" of what is no helper. The kernel cuts names of processes after 15 bytes.
std::string HelperKind(absl::string_view comm);

// The folder that virtiofsd shares, by its arguments: --shared-dir DIR, or -o source=DIR.
std::string VirtiofsdFolder(std::span<const std::string> args);

// Adds to GIVEN those of ALL that are of the VMM PID, by the sockets in GIVEN, and of shared
// folders what their helpers say.
void MergeHelpers(std::span<const HelperProcess> all, int32_t pid, const Found& found,
                  Given* given);

}  // namespace kvmsentry
