#include "sensor/source/resource/file_turns.h"

#include <algorithm>
#include <span>

namespace kvmsentry {

std::vector<FilesWanted> FileTurns::Choose(std::vector<FilesWanted> all) {
  const auto others = std::stable_partition(all.begin(), all.end(),
                                            [](const FilesWanted& vm) { return vm.urgent; });
  std::vector<FilesWanted> chosen;
  const auto take_turns = [&chosen](std::span<const FilesWanted> from, size_t most, size_t* turn) {
    for (size_t i = 0; i < std::min(from.size(), most); ++i) {
      chosen.push_back(from[(*turn)++ % from.size()]);
    }
  };
  take_turns({all.begin(), others}, kMostUrgent, &urgent_);
  take_turns({others, all.end()}, kMostOthers, &others_);
  return chosen;
}

}  // namespace kvmsentry
