#include "sensor/source/vhost/features.h"

#include <array>

#include "bpf/vhost/meters.h"
#include "sensor/source/vhost/members.h"

namespace kvmsentry {
namespace {

constexpr auto kRate = FeatureKind::kRate;
constexpr auto kSet = FeatureKind::kSet;
constexpr Points kHostDevice(Point::kK5, Point::kK2, Point::kR5);
constexpr Points kSignals(Point::kK3, Point::kK5, Point::kR5);
constexpr Points kOutside(Point::kR5, Point::kK4, Point::kK2);
constexpr Points kShared(Point::kK4, Point::kK5);
constexpr Points kConfigured(Point::kK5, Point::kK6, Point::kR5);
// Each kind of device has its own.
constexpr HookNames kVhostTurns("handle_tx", "handle_rx", "vhost_vsock_handle_tx_kick",
                                "vhost_transport_do_send_pkt");
// In which of the first two a device is counted depends on its kind, which the others tell.
constexpr HookNames kVhostSignals("vhost_add_used_and_signal_n", "vhost_signal", "handle_tx",
                                  "handle_rx");
constexpr HookNames kVhostIoctls("vhost_net_ioctl", "vhost_vsock_dev_ioctl");

// Of each virtqueue. The kernel holds the limits of the VM's counters alone.
constexpr Feature OfQueue(absl::string_view name, Points points, absl::string_view noun,
                          HookNames hooks, uint16_t meter) {
  return {.name = name,
          .kind = kRate,
          .points = points,
          .unit = "1/s",
          .noun = noun,
          .hooks = hooks,
          .meter = meter,
          .kernel_limit = false,
          .part = PartKind::kQueue};
}

// Rows: name, kind, points, unit, noun of an occurrence, hooks, member, meter.
constexpr std::array kFeatures = {
    Feature{"vhost.run.rate", kRate, kHostDevice, "1/s", "turns of vhost", kVhostTurns, nullptr,
            KS_METER_VHOST_RUN},
    Feature{"vhost.kick.rate", kRate, kHostDevice, "1/s", "kicks of vhost", "vhost_poll_wakeup",
            nullptr, KS_METER_VHOST_KICK},
    Feature{"vhost.signal.rate", kRate, kSignals, "1/s", "signals of vhost", kVhostSignals, nullptr,
            KS_METER_VHOST_SIGNAL},
    Feature{"vhost.bad_descriptor.rate", kRate, kHostDevice, "1/s",
            "descriptors that vhost refused", "vhost_get_vq_desc", nullptr,
            KS_METER_VHOST_BAD_DESCRIPTOR},
    OfQueue("virtqueue.kick.rate", kHostDevice, "kicks of vhost", "vhost_poll_wakeup",
            KS_METER_VHOST_KICK),
    OfQueue("virtqueue.signal.rate", kSignals, "signals of vhost", kVhostSignals,
            KS_METER_VHOST_SIGNAL),
    OfQueue("virtqueue.bad_descriptor.rate", kHostDevice, "descriptors that vhost refused",
            "vhost_get_vq_desc", KS_METER_VHOST_BAD_DESCRIPTOR),
    Feature{"vhost.config.rate", kRate, kHostDevice, "1/s", "ioctls on vhost devices", kVhostIoctls,
            nullptr, KS_METER_VHOST_CONFIG},
    Feature{"vhost.config.command", kSet, kConfigured, "vhost ioctl", "ioctls on vhost devices",
            kVhostIoctls, &kVhostIoctl, std::nullopt},
    Feature{"vhost.config.refused", kSet, kHostDevice, "vhost ioctl",
            "ioctls on vhost devices that the kernel refused", kVhostIoctls, &kVhostIoctl,
            std::nullopt},
    Feature{"vhost.ring", kSet, kOutside, "ring", "rings outside of the VM's memory", kVhostIoctls,
            &kRing, std::nullopt},
    Feature{"vsock.rx.byte.rate", kRate, kShared, "1/s", "bytes to the guest over vsock",
            "vhost_add_used", nullptr, KS_METER_VSOCK_RX_BYTES},
    Feature{"vsock.tx.byte.rate", kRate, kShared, "1/s", "bytes from the guest over vsock",
            "virtio_transport_recv_pkt", nullptr, KS_METER_VSOCK_TX_BYTES},
};

}  // namespace

std::span<const Feature> VhostFeatures() { return kFeatures; }

}  // namespace kvmsentry
