// The vocabulary of the method: points, severities, coverage.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace kvmsentry {

// A place that is watched. K: behaviour; R: resource or state. The values are those of the public
// enum (proto/kvmsentry/v1/method.proto).
enum class Point : uint8_t {
  kNone = 0,
  kK1 = 1,
  kK2,
  kK3,
  kK4,
  kK5,
  kK6,
  kK7,
  kR1 = 11,
  kR2,
  kR3,
  kR4,
  kR5,
};

// A set of points.
class Points {
 public:
  template <typename... P>
  constexpr explicit Points(P... points) : bits_((Bit(points) | ... | 0U)) {}
  constexpr bool Contains(Point point) const { return (bits_ & Bit(point)) != 0; }

 private:
  static constexpr uint32_t Bit(Point point) { return 1U << static_cast<uint32_t>(point); }
  uint32_t bits_;
};

enum class Severity : uint8_t { kNone = 0, kInfo, kNotice, kWarning, kCritical };

// Whether something that the sensor does works on this host.
enum class Coverage : uint8_t {
  kUnknown = 0,
  kActive,    // seen to fire since the sensor started
  kDegraded,  // works, and sees less than it should
  kUnobservable,
  kAttached,  // in place, and not seen to fire yet
};

// In place, and sees all that it should.
constexpr bool Works(Coverage coverage) {
  return coverage == Coverage::kActive || coverage == Coverage::kAttached;
}

absl::string_view PointName(Point point);           // "K2"
absl::string_view PointText(Point point);           // "leaving the VM (guest to host)"
absl::string_view SeverityName(Severity severity);  // "WARNING"
absl::string_view CoverageName(Coverage coverage);  // "ACTIVE"

}  // namespace kvmsentry
