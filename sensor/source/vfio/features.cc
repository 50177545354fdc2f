#include "sensor/source/vfio/features.h"

#include <array>

#include "bpf/vfio/meters.h"
#include "sensor/source/vfio/members.h"

namespace kvmsentry {
namespace {

constexpr auto kRate = FeatureKind::kRate;
constexpr auto kSet = FeatureKind::kSet;
constexpr Points kPassedThrough(Point::kK4, Point::kR2);

// Rows: name, kind, points, unit, noun of an occurrence, hooks, member, meter.
constexpr std::array kFeatures = {
    Feature{"vfio.ioctl.rate", kRate, kPassedThrough, "1/s", "ioctls on VFIO",
            "vfio_device_fops_unl_ioctl", nullptr, KS_METER_VFIO_IOCTL},
    Feature{"vfio.ioctl.command", kSet, kPassedThrough, "VFIO ioctl", "ioctls on VFIO",
            "vfio_device_fops_unl_ioctl", &kVfioIoctl, std::nullopt},
};

}  // namespace

std::span<const Feature> VfioFeatures() { return kFeatures; }

}  // namespace kvmsentry
