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

void CountWindow::DropFirst() {
  first_ = (first_ + 1) % kSamples;
  --size_;
}

CountWindow::Added CountWindow::Add(KernelTime time, uint64_t count) {
  if (size_ > 0) {
    const Sample& latest = At(size_ - 1);
    if (time < latest.time || (time == latest.time && count <= latest.count)) return Added::kStale;
    if (count < latest.count) size_ = 0;
  }
  if (size_ == 0) {
    first_ = 0;
    size_ = 1;
    ring_[0] = {time, count};
    return Added::kRestarted;
  }
  // The latest sample is kept for good only when it is far enough from the one before it.
  const bool replace = time == At(size_ - 1).time ||
                       (size_ >= 2 && At(size_ - 1).time - At(size_ - 2).time < spacing_ns_);
  if (!replace) {
    if (size_ == kSamples) DropFirst();
    ++size_;
  }
  At(size_ - 1) = {time, count};
  while (size_ >= 2 && time - At(1).time >= window_ns_) DropFirst();
  return Added::kAdvanced;
}

// The latest sample is replaced until it is far enough from the one before it: those in between
// need not be looked at.
void CountWindow::AddUnchanged(std::span<const KernelTime> times, uint64_t count) {
  if (times.empty()) return;
  auto next = std::ranges::lower_bound(times, times.back() - 3 * window_ns_);
  while (next != times.end()) {
    if (size_ >= 2) {
      const KernelTime kept = At(size_ - 2).time + spacing_ns_;
      if (At(size_ - 1).time < kept) {
        next = std::min(std::lower_bound(next, times.end(), kept), std::prev(times.end()));
      }
    }
    Add(*next++, count);
  }
}

uint64_t CountWindow::Busiest() const {
  uint64_t busiest = 0;
  const Sample& latest = At(size_ - 1);
  // The first sample may be older than the window; the second never is.
  for (uint32_t i = 0; i + 1 < size_ && i < 2; ++i) {
    const uint64_t delta = latest.count - At(i).count;
    const int64_t span = latest.time - At(i).time;
    busiest = std::max(busiest, span <= window_ns_ ? delta : AtLeastInOne(delta, span, window_ns_));
  }
  return busiest;
}

std::optional<CountWindow::Full> CountWindow::LatestFull() const {
  if (size_ < 2) return std::nullopt;
  const Sample& latest = At(size_ - 1);
  const int64_t span = latest.time - At(0).time;
  if (span < window_ns_) return std::nullopt;
  const uint64_t delta = latest.count - At(0).count;
  const auto whole_windows = static_cast<uint64_t>(span / window_ns_);
  // No average is larger than DELTA, so it fits again.
  const absl::uint128 product = absl::uint128(delta) * static_cast<uint64_t>(window_ns_);
  const auto average = absl::Uint128Low64(product / static_cast<uint64_t>(span));
  const bool exact = product % static_cast<uint64_t>(span) == 0;
  return Full{.since = At(0).time,
              .quietest = delta / whole_windows,
              .average = average,
              .average_ceil = average + (exact ? 0 : 1)};
}

}  // namespace kvmsentry
