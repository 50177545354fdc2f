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

using StreamItem = std::variant<std::shared_ptr<const JournaledAlert>, Gap>;

// Pulls from the journal at its own pace, so that a slow one holds nobody up. Holds at most a page
// of alerts. Not thread safe; the journal outlives it.
class Cursor {
 public:
  Cursor(const Journal& journal, Resume start) : journal_(&journal), next_(start.next) {
    gap_ = start.gap;
  }

  // What comes next, a gap before the alert that follows it; nullopt when all that is written was
  // read.
  absl::StatusOr<std::optional<StreamItem>> Next();

  // The sequence that is read next: all before it were returned, or told as a gap.
  uint64_t next() const { return next_; }

 private:
  static constexpr size_t kPageAlerts = 64;

  const Journal* journal_;
  uint64_t next_;
  std::optional<Gap> gap_;
  Journal::Page page_;
  size_t read_of_page_ = 0;
};

}  // namespace kvmsentry
