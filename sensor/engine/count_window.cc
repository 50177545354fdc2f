#include "sensor/engine/count_window.h"

#include <algorithm>
#include <iterator>

#include "absl/numeric/int128.h"

namespace kvmsentry {
namespace {

// Leaves room in the ring for the latest sample and for one that is older than the window.
constexpr int64_t kSteps = 28;

uint64_t CeilDiv(uint64_t a, uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

// DELTA spread over the windows that SPAN is cut into; both lengths are positive.
uint64_t AtLeastInOne(uint64_t delta, int64_t span, int64_t window) {
  return CeilDiv(delta, CeilDiv(static_cast<uint64_t>(span), static_cast<uint64_t>(window)));
}

}  // namespace

CountWindow::CountWindow(int64_t window_ns)
    : window_ns_(std::max<int64_t>(window_ns, 1)), spacing_ns_(window_ns_ / kSteps + 1) {}

bool CountWindow::Stays(uint64_t count) const {
  const size_t size = samples_.size();
  return size >= 2 && samples_[size - 1].count == count && samples_[size - 2].count == count;
}

CountWindow::Added CountWindow::Add(KernelTime time, uint64_t count) {
  if (!samples_.empty()) {
    const Sample& latest = samples_.back();
    if (time < latest.time || (time == latest.time && count <= latest.count)) return Added::kStale;
    if (count < latest.count) samples_.clear();
  }
  if (samples_.empty()) {
    samples_.push_back({time, count});
    return Added::kRestarted;
  }
  const size_t size = samples_.size();
  // The latest sample is kept for good only when it is far enough from the one before it.
  // Nor is the end of a time in which the count stayed lost to a later count of the same time.
  const bool again = time == samples_.back().time && !Stays(samples_.back().count);
  const bool replace =
      again || Stays(count) ||
      (size >= 2 && samples_[size - 1].time - samples_[size - 2].time < spacing_ns_);
  if (!replace) {
    if (size == kSamples) samples_.erase(samples_.begin());
    samples_.emplace_back();
  }
  samples_.back() = {time, count};
  DropBefore(time - window_ns_);
  return Added::kAdvanced;
}

void CountWindow::DropBefore(KernelTime since) {
  size_t older = 0;
  while (older + 1 < samples_.size() && samples_[older + 1].time <= since) ++older;
  samples_.erase(samples_.begin(), samples_.begin() + static_cast<ptrdiff_t>(older));
  // The count is the same all the time between the two, so it is also known at SINCE.
  if (samples_.size() < 2 || samples_[0].count != samples_[1].count) return;
  samples_[0].time = std::max(samples_[0].time, since);
  // Once busy, and calm again.
  if (samples_.size() == 2) samples_.shrink_to_fit();
}

// The latest sample is replaced until it is far enough from the one before it, and all the time of
// a count that stays: those in between need not be looked at.
void CountWindow::AddUnchanged(std::span<const KernelTime> times, uint64_t count) {
  if (times.empty()) return;
  auto next = std::ranges::lower_bound(times, times.back() - 3 * window_ns_);
  while (next != times.end()) {
    if (Stays(count)) {
      next = std::prev(times.end());
    } else if (samples_.size() >= 2) {
      const KernelTime kept = samples_[samples_.size() - 2].time + spacing_ns_;
      if (samples_.back().time < kept) {
        next = std::min(std::lower_bound(next, times.end(), kept), std::prev(times.end()));
      }
    }
    Add(*next++, count);
  }
}

uint64_t CountWindow::Busiest() const {
  uint64_t busiest = 0;
  // The first sample may be older than the window; the second never is.
  for (size_t i = 0; i + 1 < samples_.size() && i < 2; ++i) {
    const uint64_t delta = samples_.back().count - samples_[i].count;
    const int64_t span = samples_.back().time - samples_[i].time;
    busiest = std::max(busiest, span <= window_ns_ ? delta : AtLeastInOne(delta, span, window_ns_));
  }
  return busiest;
}

std::optional<CountWindow::Full> CountWindow::LatestFull() const {
  if (samples_.size() < 2) return std::nullopt;
  const Sample& first = samples_.front();
  const int64_t span = samples_.back().time - first.time;
  if (span < window_ns_) return std::nullopt;
  const uint64_t delta = samples_.back().count - first.count;
  const auto whole_windows = static_cast<uint64_t>(span / window_ns_);
  // No average is larger than DELTA, so it fits again.
  const absl::uint128 product = absl::uint128(delta) * static_cast<uint64_t>(window_ns_);
  const auto average = absl::Uint128Low64(product / static_cast<uint64_t>(span));
  const bool exact = product % static_cast<uint64_t>(span) == 0;
  return Full{.since = first.time,
              .quietest = delta / whole_windows,
              .average = average,
              .average_ceil = average + (exact ? 0 : 1)};
}

}  // namespace kvmsentry
