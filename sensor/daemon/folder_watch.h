// Notices that spec files of some folders changed (inotify(7)).
#pragma once

#include <string>
#include <vector>

#include "sensor/base/fd.h"

namespace kvmsentry {

// Only of files that are read as spec files, and of the link ..data, by which Kubernetes exchanges
// all of a ConfigMap's: an editor's own files are nothing to it.
class FolderWatch {
 public:
  // A folder need not be there yet. Where the host has no inotify instance left (on a busy node of
  // Kubernetes that happens), it is blind().
  explicit FolderWatch(std::vector<std::string> folders);

  static constexpr int kNone = -1;   // no such folder
  static constexpr int kBlind = -2;  // it cannot be watched
  // The watches of the folders that are at their paths now, or one of the above. May block, and be
  // called by any thread.
  std::vector<int> Arm() const;
  // Takes what Arm returned. True where another folder is at a path than before, or none any more.
  bool Armed(std::vector<int> watches);

  // Whether there was a change since the last call. Does not block.
  bool TakeChanged();
  // A folder was moved, removed or mounted over: Arm is due. Until the next Armed.
  bool lost() const { return lost_; }
  // Changes of a folder go unnoticed.
  bool blind() const;

 private:
  Fd inotify_;
  std::vector<std::string> folders_;
  std::vector<int> watches_;
  bool lost_ = false;
};

}  // namespace kvmsentry
