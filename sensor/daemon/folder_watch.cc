#include "sensor/daemon/folder_watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <sys/inotify.h>
#include <unistd.h>

#include "sensor/spec/layers.h"

namespace kvmsentry {
namespace {

// IN_CREATE is for links; what is still being written is noted again until it is closed.
constexpr uint32_t kEvents = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO |
                             IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr uint32_t kLost = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;
constexpr int kMostReads = 64;  // a call; the rest is read by the next

bool Matters(absl::string_view name) { return IsSpecFileName(name) || name == "..data"; }

}  // namespace

FolderWatch::FolderWatch(std::vector<std::string> folders)
    : inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      folders_(std::move(folders)),
      watches_(folders_.size(), kNone) {}

bool FolderWatch::blind() const { return std::ranges::find(watches_, kBlind) != watches_.end(); }

std::vector<int> FolderWatch::Arm() const {
  std::vector<int> watches;
  for (const std::string& folder : folders_) {
    const int watch = inotify_add_watch(inotify_.get(), folder.c_str(), kEvents);
    watches.push_back(watch >= 0 ? watch : errno == ENOENT ? kNone : kBlind);
  }
  return watches;
}

bool FolderWatch::Armed(std::vector<int> watches) {
  lost_ = false;
  const std::vector<int> before = std::exchange(watches_, std::move(watches));
  for (const int watch : before) {
    const bool kept = std::ranges::find(watches_, watch) != watches_.end();
    if (watch >= 0 && !kept) inotify_rm_watch(inotify_.get(), watch);
  }
  return watches_ != before;
}

bool FolderWatch::TakeChanged() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool changed = false;
  for (int reads = 0; reads < kMostReads; ++reads) {
    const ssize_t size = read(inotify_.get(), buffer.data(), buffer.size());
    if (size <= 0) break;
    for (size_t at = 0; at + sizeof(inotify_event) <= static_cast<size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      const char* const name = buffer.data() + at + offsetof(inotify_event, name);
      at += sizeof(event) + event.len;
      const bool ours = std::ranges::find(watches_, event.wd) != watches_.end();
      lost_ |= ours && (event.mask & kLost) != 0;
      changed |= (event.mask & IN_Q_OVERFLOW) != 0;
      changed |= event.len > 0 && Matters(absl::string_view(name, strnlen(name, event.len)));
    }
  }
  return changed;
}

}  // namespace kvmsentry
