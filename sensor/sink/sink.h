// Where alerts go without a client that asks for them.
#pragma once

#include <optional>
#include <string>

#include "sensor/alert/cursor.h"
#include "sensor/alert/position.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// Used by one thread at a time.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual std::string name() const = 0;  // "journald"
  // Whether LastWritten() says what this or an earlier run wrote last, if anything.
  virtual bool KnowsLastWritten() const { return false; }
  virtual std::optional<Position> LastWritten() { return std::nullopt; }
  // May block. What fails was not written, and is given again.
  virtual absl::Status Write(const StreamItem& item) = 0;
};

// Of an item, where the stream stands after it.
inline Position PositionAfter(const StreamItem& item) {
  const Gap* const gap = std::get_if<Gap>(&item);
  return gap != nullptr ? gap->to : std::get<AlertPtr>(item)->position;
}

}  // namespace kvmsentry
