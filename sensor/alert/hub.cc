#include "sensor/alert/hub.h"

#include <algorithm>
#include <utility>

#include "sensor/alert/resume.h"

namespace kvmsentry {

Hub::Hub(std::unique_ptr<Journal> journal)
    : last_(journal->bounds().last()), journal_(std::move(journal)) {
  journal_->OnVisible([this](Position last) {
    {
      const std::lock_guard lock(mutex_);
      last_ = std::max(last_, last);
    }
    written_.notify_all();
  });
}

Cursor Hub::ReadAfter(std::optional<Position> since) const {
  return Cursor(*journal_, ResumeAfter(since, journal_->bounds()));
}

Cursor Hub::ReadNew() const {
  return Cursor(*journal_, {.after = journal_->bounds().last(), .gap = std::nullopt});
}

Position Hub::Wait(Position seen, std::chrono::nanoseconds timeout, std::stop_token stop) const {
  std::unique_lock lock(mutex_);
  written_.wait_for(lock, std::move(stop), timeout, [&] { return last_ > seen; });
  return last_;
}

}  // namespace kvmsentry
