// How many operations a guest may do before it comes back, and when it may do the next ones. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace kvmsentry::guest {

class Pace {
 public:
  // Far from wrapping, and years away at any rate a guest can reach.
  static constexpr uint64_t kUnlimited = uint64_t{1} << 62;

  // `total` operations at about `rate` a second (0: as fast as possible), in batches of `quantum`
  // at most (0: any size). Batches are multiples of `step`, the operations of one instruction.
  Pace(uint64_t total, uint64_t rate, uint64_t quantum, uint64_t step)
      : total_(total - total % step), rate_(rate) {
    if (rate > 0) batch_ = std::min(batch_, rate / kBatchesPerSecond);
    if (quantum > 0) batch_ = std::min(batch_, quantum);
    batch_ = std::max(batch_ - batch_ % step, step);
  }

  // 0 when `done` operations were all.
  uint64_t NextBatch(uint64_t done) const { return std::min(batch_, total_ - done); }

  bool Paced() const { return rate_ > 0; }

  // When, after the start of the storm, the operation after `done` others is due. Counted from the
  // start and not from the last batch, so that a late batch is made up for.
  std::chrono::nanoseconds Due(uint64_t done) const {
    constexpr uint64_t kNanoseconds = 1'000'000'000;
    return std::chrono::seconds(done / rate_) +
           std::chrono::nanoseconds(done % rate_ * kNanoseconds / rate_);
  }

 private:
  // A sleep of 10 ms is about what a timer of a busy host still keeps.
  static constexpr uint64_t kBatchesPerSecond = 100;

  uint64_t total_;
  uint64_t rate_;
  uint64_t batch_ = kUnlimited;
};

}  // namespace kvmsentry::guest
