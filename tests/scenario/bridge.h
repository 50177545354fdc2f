// A network between the host and its Debian guests.
#pragma once

#include <string>

#include "sensor/base/status.h"

namespace kvmsentry::scenario {

// A bridge with the host's address on it, and a tap on it for each guest. Removed, taps and all,
// on destruction. Move-only.
class Bridge {
 public:
  static constexpr char kHostAddress[] = "10.213.91.1";

  static absl::StatusOr<Bridge> Make();
  Bridge(Bridge&& other) noexcept;
  Bridge& operator=(Bridge&& other) noexcept;
  ~Bridge();

  // The name of a new tap.
  absl::StatusOr<std::string> AddTap();

 private:
  Bridge() = default;
  std::string name_;
  int taps_ = 0;
};

}  // namespace kvmsentry::scenario
