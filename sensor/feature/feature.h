// What a feature is: something measurable at a point of a VM. Each domain lists its own in
// sensor/source/<domain>/features.cc; sensor/source/catalogue.h puts them together.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

#include "sensor/feature/member_kind.h"
#include "sensor/feature/method.h"
#include "sensor/feature/part.h"

namespace kvmsentry {

// A feature's place in the catalogue. The composition assigns it; it is not stable over builds.
enum class FeatureId : uint16_t {};

// A domain of sensing, with its own meters. The order is that of the catalogue.
enum class SourceId : uint8_t { kKvm, kVfio, kVhost, kResource, kVmm, kEntitlement };

// A counter in the kernel: the source's own number for it.
struct MeterRef {
  SourceId source = SourceId::kKvm;
  uint16_t meter = 0;
  friend auto operator<=>(const MeterRef&, const MeterRef&) = default;
};

enum class FeatureKind : uint8_t {
  kRate,   // a cumulative counter; norms are per second, bursts are counts
  kSet,    // members of a kind that were seen; norms are allow and deny
  kLevel,  // a value now; norms are a range, also in percent of what the VM was given
  kState,  // one of a kind's members until another is entered; norms are allow and deny
};

// The hooks that give a feature, each a part of it.
class HookNames {
 public:
  constexpr HookNames() = default;
  template <typename... Names>
  constexpr HookNames(const char* first, Names... others)  // NOLINT: one may be a mere name
      : names_{first, others...}, count_(1 + sizeof...(others)) {}
  constexpr const absl::string_view* begin() const { return names_.data(); }
  constexpr const absl::string_view* end() const { return names_.data() + count_; }

 private:
  std::array<absl::string_view, 4> names_ = {};
  size_t count_ = 0;
};

struct Feature {
  absl::string_view name;  // "pio.rate"
  FeatureKind kind = FeatureKind::kRate;
  Points points = Points();  // the points of the method it belongs to
  absl::string_view unit;    // "1/s", "port"
  absl::string_view noun;    // of one occurrence, plural: "port accesses"
  HookNames hooks;
  // Of a set: its members; of a state: the states; of a rate: what the last occurrence names,
  // nullptr where nothing.
  const MemberKind* member = nullptr;
  std::optional<uint16_t> meter = {};  // of a rate: the source's number of its counter
  bool kernel_limit = true;            // of a rate: the kernel says at once when a limit is passed
  PartKind part = PartKind::kVm;       // what it is observed of
  uint64_t scale = 1;                  // of a level: so many of its value are one of its unit
  bool given = false;                  // of a level: observations say what the VM was given
  // The rest is set by the composition.
  FeatureId id = {};
  SourceId source = SourceId::kKvm;

  // The counter in the kernel that limits are set on.
  std::optional<MeterRef> meter_ref() const {
    return meter && kernel_limit ? std::optional(MeterRef{source, *meter}) : std::nullopt;
  }
};

}  // namespace kvmsentry
