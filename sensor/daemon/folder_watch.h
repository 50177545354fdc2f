// Notices that spec files of some folders changed (inotify(7)).
#pragma once

#include <string>
#include <vector>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// Only of files that are read as spec files, and of the link ..data, by which Kubernetes exchanges
// all of a ConfigMap's: an editor's own files are nothing to it.
class FolderWatch {
 public:
  // A folder need not be there yet.
  static absl::StatusOr<FolderWatch> Open(std::vector<std::string> folders);

  // The watches of the folders that are at their paths now; -1 where there is none. May block, and
  // be called by any thread.
  std::vector<int> Arm() const;
  // Takes what Arm returned. True where another folder is at a path than before, or none any more.
  bool Armed(std::vector<int> watches);

  // Whether there was a change since the last call. Does not block.
  bool TakeChanged();
  // A folder was moved, removed or mounted over: Arm is due. Until the next Armed.
  bool lost() const { return lost_; }

 private:
  FolderWatch(Fd inotify, std::vector<std::string> folders)
      : inotify_(std::move(inotify)), folders_(std::move(folders)), watches_(folders_.size(), -1) {}

  Fd inotify_;
  std::vector<std::string> folders_;
  std::vector<int> watches_;
  bool lost_ = false;
};

}  // namespace kvmsentry
