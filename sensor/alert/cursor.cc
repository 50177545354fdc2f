#include "sensor/alert/cursor.h"

#include <utility>

namespace kvmsentry {

absl::StatusOr<std::optional<StreamItem>> Cursor::Next() {
  if (!gap_ && read_of_page_ == page_.alerts.size()) {
    KVMSENTRY_ASSIGN_OR_RETURN(page_, journal_->Read(after_, kPageAlerts));
    read_of_page_ = 0;
    const Resume resume = ContinueAt(after_, page_.bounds);
    after_ = resume.after;
    gap_ = resume.gap;
  }
  if (gap_) return StreamItem(*std::exchange(gap_, std::nullopt));
  if (read_of_page_ == page_.alerts.size()) return std::nullopt;
  AlertPtr alert = std::move(page_.alerts[read_of_page_++]);
  after_ = alert->position;
  return StreamItem(std::move(alert));
}

}  // namespace kvmsentry
