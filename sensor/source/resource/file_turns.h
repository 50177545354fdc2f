// Whose files are read in a pass, of many VMs. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sensor/base/ids.h"

namespace kvmsentry {

// A VM whose files are worth reading.
struct FilesWanted {
  VmId vm;
  int32_t pid = 0;
  bool urgent = false;  // it is short of something, by what the pass says
};

class FileTurns {
 public:
  // Files of so many VMs are read in a second: some 2 ms.
  static constexpr size_t kMostUrgent = 32;
  static constexpr size_t kMostOthers = 16;

  // Of ALL, those whose turn it is. Where there are more than may be read, they take turns.
  std::vector<FilesWanted> Choose(std::vector<FilesWanted> all);

 private:
  size_t urgent_ = 0, others_ = 0;  // whose turn it is
};

}  // namespace kvmsentry
