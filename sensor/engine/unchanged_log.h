// When a source said that all counts which it did not name are as they were.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sensor/base/time.h"

namespace kvmsentry {

// One for all VMs, so that an idle VM costs nothing: each rate remembers how far it has read.
class UnchangedLog {
 public:
  // Enough for the longest window, an hour, at ten a second; older ones are forgotten.
  static constexpr size_t kMost = 40'000;

  // Times must not go back.
  void Add(KernelTime time) {
    if (times_.size() == 2 * kMost) {
      times_.erase(times_.begin(), times_.begin() + kMost);
      forgotten_ += kMost;
    }
    times_.push_back(time);
  }

  // Entries number FROM and up.
  std::span<const KernelTime> Since(uint64_t from) const {
    const size_t first = from <= forgotten_ ? 0 : static_cast<size_t>(from - forgotten_);
    return std::span(times_).subspan(std::min(first, times_.size()));
  }

  // How many there ever were: the number of the next.
  uint64_t end() const { return forgotten_ + times_.size(); }

 private:
  std::vector<KernelTime> times_;
  uint64_t forgotten_ = 0;
};

}  // namespace kvmsentry
