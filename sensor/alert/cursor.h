// One subscriber's place in the stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include "sensor/alert/journal.h"
#include "sensor/alert/resume.h"
#include "sensor/base/status.h"

namespace kvmsentry {

using StreamItem = std::variant<AlertPtr, Gap>;

// Pulls from the journal at its own pace, so that a slow one holds nobody up. Holds at most a page
// of alerts. Not thread safe; the journal outlives it.
class Cursor {
 public:
  Cursor(const Journal& journal, Resume start)
      : journal_(&journal), after_(start.after), gap_(start.gap) {}

  // What comes next, a gap before the alert that follows it; nullopt when all that can be seen was
  // read.
  absl::StatusOr<std::optional<StreamItem>> Next();

  // All up to it, and it, were returned, or reported as a gap.
  Position position() const { return after_; }

 private:
  static constexpr size_t kPageAlerts = 64;

  const Journal* journal_;
  Position after_;
  std::optional<Gap> gap_;
  Journal::Page page_;
  size_t read_of_page_ = 0;
};

}  // namespace kvmsentry
