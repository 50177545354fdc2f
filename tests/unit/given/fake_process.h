// /proc with one process, 7, that the test makes up; its root is the folder below/.
#pragma once

#include <string>

#include <fcntl.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "sensor/base/fd.h"
#include "sensor/inventory/files.h"
#include "tests/unit/inventory/fake_tree.h"

namespace kvmsentry {

class FakeProcess {
 public:
  FakeProcess() {
    tree_.Write("below/work/.keep", "");
    tree_.Link("7/root", tree_.root() + "/below");
    tree_.Link("7/cwd", tree_.root() + "/below/work");
    SetStart(500);
  }

  FakeTree& tree() { return tree_; }
  std::string folder() const { return tree_.root() + "/7"; }

  void SetStart(uint64_t ticks) {
    std::string stat = "7 (qemu) S 1";
    for (int field = 5; field < 22; ++field) stat += " 0";
    tree_.Write("7/stat", absl::StrCat(stat, " ", ticks, " 0\n"));
  }

  // The process sees the mount that the tree is on as one of TYPE.
  void AddMounts(const std::string& type) {
    const Fd here(open(tree_.root().c_str(), O_PATH | O_CLOEXEC));
    const std::string info =
        ReadFileAt(AT_FDCWD, absl::StrCat("/proc/self/fdinfo/", here.get()), 4096).value();
    for (absl::string_view line : absl::StrSplit(info, '\n')) {
      if (!absl::ConsumePrefix(&line, "mnt_id:\t")) continue;
      tree_.Write("7/mountinfo", absl::StrCat(line, " 1 8:1 / / rw - ", type, " x rw\n"));
    }
  }

 private:
  FakeTree tree_;
};

}  // namespace kvmsentry
