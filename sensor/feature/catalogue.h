// The feature catalogue: every measurable thing, one row each. Specs name features by it, probes
// say by it what they give, and the engine learns from it how to treat an observation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/strings/string_view.h"

#include "bpf/records.h"
#include "sensor/feature/method.h"

namespace kvmsentry {

enum class FeatureId : uint8_t {
  kPioRate,
  kPioPort,
  kPciConfigRate,
  kMmioRate,
  kMmioPage,
  kMsrRate,
  kMsrFaultRate,
  kMsrWritten,
  kUserspaceExitRate,
  kUserspaceErrorRate,
  kUserspaceExitReason,
  kExitRate,
  kExitReason,
  kEntryRate,
  kHaltRate,
  kNestedEntryRate,
  kInterruptRate,
  kExceptionRate,
  kNestedExitRate,
  kHypercallRate,
  kHypercallNumber,
  kControlWriteRate,
  kPageFaultRate,
  kEmulationRate,
  kFastMmioRate,
  kControlAccessRate,
  kDirtyPageRate,
  kDirtyRingFullRate,
  kDirtyRingResetRate,
  kIrqLineRate,
  kIrqMsiRate,
  kIoctlRate,
  kIoctlCommand,
  kVfioIoctlRate,
  kVfioIoctlCommand,
  kVhostRunRate,
  kVhostKickRate,
  kVhostSignalRate,
  kVhostBadDescriptorRate,
  kVhostConfigRate,
  kVhostConfigCommand,
  kVsockRxByteRate,
  kVsockTxByteRate,
};

enum class FeatureKind : uint8_t {
  kRate,  // a cumulative counter; norms are per second, bursts are counts
  kSet,   // members of a field that were seen; norms are allow and deny
};

// The field that a set's members, or a rate's last occurrence, are drawn from.
enum class Field : uint8_t {
  kNone,
  kPort,
  kMsr,
  kExitReason,  // why KVM_RUN returned to user space
  kGuestAddress,
  kGuestPage,  // the address at which a page of 4 KiB begins
  kVmExit,     // why the guest was left: the vendor's exit reasons
  kVector,     // of an interrupt or exception
  kHypercall,
  kControlRegister,
  kKvmIoctl,
  kVhostIoctl,
  kVfioIoctl,
};

// The hooks that give a feature, each a part of it.
class HookNames {
 public:
  template <typename... Names>
  constexpr HookNames(const char* first, Names... others)  // NOLINT: one may be a mere name
      : names_{first, others...}, count_(1 + sizeof...(others)) {}
  constexpr const absl::string_view* begin() const { return names_.data(); }
  constexpr const absl::string_view* end() const { return names_.data() + count_; }

 private:
  std::array<absl::string_view, 4> names_;
  size_t count_;
};

struct Feature {
  FeatureId id;
  absl::string_view name;  // "pio.rate"
  FeatureKind kind;
  Points points;           // the points of the method it belongs to
  absl::string_view unit;  // "1/s", "port"
  absl::string_view noun;  // of one occurrence, plural: "port accesses"
  HookNames hooks;
  Field field;  // of a set: its members; of a rate: what the last occurrence names
  std::optional<ks_meter> meter;  // of a rate: its counter in the kernel
};

// All features, ordered by FeatureId.
std::span<const Feature> Catalogue();

const Feature& FeatureOf(FeatureId id);

// Nullptr where no feature has the name.
const Feature* FindFeature(absl::string_view name);

// The feature whose name is most like NAME, for messages: never nullptr.
const Feature& NearestFeature(absl::string_view name);

// The rate that a kernel meter counts; nullptr for a value that is no meter (kernel data).
const Feature* FeatureOfMeter(uint32_t meter);

// A member of a field in words: "port 0x3f8", "MSR LSTAR (0xc0000082)".
std::string MemberText(Field field, uint64_t member);

}  // namespace kvmsentry
