#include "sensor/source/decode.h"

#include <cstring>

#include "bpf/records.h"
#include "sensor/source/catalogue.h"
#include "sensor/source/vmm/acts.h"

namespace kvmsentry {
namespace {

static_assert(static_cast<int>(SourceId::kKvm) == KS_SOURCE_KVM &&
              static_cast<int>(SourceId::kVfio) == KS_SOURCE_VFIO &&
              static_cast<int>(SourceId::kVhost) == KS_SOURCE_VHOST &&
              static_cast<int>(SourceId::kResource) == KS_SOURCE_RESOURCE &&
              static_cast<int>(SourceId::kVmm) == KS_SOURCE_VMM);

template <typename Layout>
absl::StatusOr<Layout> Read(std::span<const std::byte> bytes, absl::string_view what) {
  if (bytes.size() != sizeof(Layout)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "record ", what, ": ", bytes.size(), " bytes where ", sizeof(Layout), " are expected"));
  }
  Layout layout;
  std::memcpy(&layout, bytes.data(), sizeof(layout));
  return layout;
}

absl::StatusOr<Record> DecodeBirth(std::span<const std::byte> bytes) {
  KVMSENTRY_ASSIGN_OR_RETURN(const auto born, Read<ks_vm_born>(bytes, "vm_born"));
  return VmBorn{.time = {static_cast<int64_t>(born.header.time_ns)},
                .vm = {born.header.vm_serial},
                .slot = born.vm_slot};
}

absl::StatusOr<Record> DecodeLimit(std::span<const std::byte> bytes) {
  KVMSENTRY_ASSIGN_OR_RETURN(const auto crossed, Read<ks_limit_crossed>(bytes, "limit_crossed"));
  const Feature* feature = FeatureOfMeter({static_cast<SourceId>(crossed.source), crossed.meter});
  if (feature == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("record limit_crossed: there is no meter ",
                                                   crossed.meter, " of source ", crossed.source));
  }
  if (crossed.window_ns == 0 || crossed.window_ns > INT64_MAX) {
    return absl::InvalidArgumentError(
        absl::StrCat("record limit_crossed: a window of ", crossed.window_ns, " ns"));
  }
  Observation observation{.time = {static_cast<int64_t>(crossed.header.time_ns)},
                          .vm = {crossed.header.vm_serial},
                          .kind = ObservationKind::kCrossed,
                          .feature = feature->id,
                          .value = crossed.counted,
                          .window_ns = static_cast<int64_t>(crossed.window_ns),
                          .detail = {}};
  if (feature->member != nullptr) observation.detail = crossed.last;
  return observation;
}

}  // namespace

absl::StatusOr<Record> Decode(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(ks_record)) {
    return absl::InvalidArgumentError(
        absl::StrCat("record of ", bytes.size(), " bytes: shorter than its header"));
  }
  ks_record header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.version != KS_LAYOUT_VERSION) {
    return absl::InvalidArgumentError(absl::StrCat("record of layout version ", header.version,
                                                   "; this program reads ", KS_LAYOUT_VERSION));
  }
  if (header.size != bytes.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("record of ", bytes.size(), " bytes that says it has ", header.size));
  }
  const bool of_a_vm = header.kind != KS_RECORD_CANARY;
  if (of_a_vm != (header.vm_serial != 0) || header.time_ns > INT64_MAX) {
    return absl::InvalidArgumentError(
        "record without a VM, or of one that it cannot have, or with an impossible time");
  }
  switch (header.kind) {
    case KS_RECORD_VM_BORN:
      return DecodeBirth(bytes);
    case KS_RECORD_LIMIT:
      return DecodeLimit(bytes);
    case KS_RECORD_CANARY: {
      KVMSENTRY_ASSIGN_OR_RETURN(const auto canary, Read<ks_canary>(bytes, "canary"));
      return Canary{canary.number};
    }
    case KS_RECORD_ACT: {
      KVMSENTRY_ASSIGN_OR_RETURN(const auto act, Read<ks_vmm_act>(bytes, "act"));
      return DecodeAct(act);
    }
    default:
      return absl::InvalidArgumentError(absl::StrCat("record of unknown kind ", header.kind));
  }
}

}  // namespace kvmsentry
