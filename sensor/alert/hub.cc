#include "sensor/alert/hub.h"

#include <algorithm>
#include <utility>

#include "sensor/alert/resume.h"

namespace kvmsentry {

Hub::Hub(std::unique_ptr<Journal> journal)
    : journal_(std::move(journal)), last_(journal_->bounds().last) {}

absl::StatusOr<Position> Hub::Publish(JournaledAlert alert) {
  KVMSENTRY_ASSIGN_OR_RETURN(const Position position, journal_->Append(std::move(alert)));
  {
    std::lock_guard lock(mutex_);
    last_ = std::max(last_, position.sequence);
  }
  written_.notify_all();
  return position;
}

Cursor Hub::ReadAfter(std::optional<Position> since) const {
  return Cursor(*journal_, ResumeAfter(since, journal_->bounds()));
}

Cursor Hub::ReadNew() const {
  return Cursor(*journal_, {.next = journal_->bounds().last + 1, .gap = std::nullopt});
}

uint64_t Hub::Wait(uint64_t seen, std::chrono::nanoseconds timeout, std::stop_token stop) const {
  std::unique_lock lock(mutex_);
  written_.wait_for(lock, std::move(stop), timeout, [&] { return last_ > seen; });
  return last_;
}

}  // namespace kvmsentry
