// The hooks of the source vhost.
#include <array>

#include "sensor/probe/hook_variants.h"
#include "sensor/source/vhost/bpf.h"

namespace kvmsentry {
namespace {

// Of more than six arguments: kernels before 6.6 load such a program and then refuse to attach it,
// so that the whole object has to be loaded again.
constexpr std::array kLongFunctionExit = {Variant::kKretprobe, Variant::kFexit};

constexpr std::array<absl::string_view, 1> kVhost = {"vhost_virtqueue"};
constexpr std::array<absl::string_view, 1> kVhostNet = {"vhost_net"};
constexpr std::array<absl::string_view, 1> kVhostVsock = {"vhost_vsock"};

constexpr std::array kVhostHooks = {
    Optional(Hook{"vhost_poll_wakeup", "vhost", kFunctionEntry,
                  "the guest's notifications: vhost.kick.rate", kVhost, "vhost"}),
    Hook{"vhost_get_vq_desc", "vhost", kLongFunctionExit,
         "descriptors that vhost refuses: vhost.bad_descriptor.rate", kVhost, "vhost",
         "vhost_get_vq_desc_n"},  // Linux 6.19, "vhost: rewind next_avail_head while discarding"
    Hook{"vhost_add_used_and_signal_n", "vhost", kFunctionEntry,
         "signals of vhost-net to the guest: vhost.signal.rate", kVhost, "vhost"},
    Optional(Hook{"vhost_signal", "vhost", kFunctionEntry,
                  "signals of other vhost devices to the guest: vhost.signal.rate", kVhost,
                  "vhost"}),
    Hook{"vhost_dev_cleanup", "vhost", kFunctionEntry, "the end of vhost devices", kVhost, "vhost"},
    Hook{"handle_tx", "vhost_net", kFunctionEntry, "turns of vhost-net, sending: vhost.run.rate",
         kVhostNet, "vhost_net"},
    Hook{"handle_rx", "vhost_net", kFunctionEntry, "turns of vhost-net, receiving: vhost.run.rate",
         kVhostNet, "vhost_net"},
    Hook{.name = "vhost_net_ioctl",
         .bpf = "vhost_net",
         .variants = kIoctlExit,
         .provides = "how vhost-net devices are set up: vhost.config.*, vhost.ring",
         .types = kVhostNet,
         .module = "vhost_net",
         .weakness = kDescriptors},
    Hook{"vhost_vsock_handle_tx_kick", "vhost_vsock", kFunctionEntry,
         "turns of vhost-vsock, sending: vhost.run.rate", kVhostVsock, "vhost_vsock"},
    Hook{"vhost_transport_do_send_pkt", "vhost_vsock", kFunctionEntry,
         "turns of vhost-vsock, receiving: vhost.run.rate", kVhostVsock, "vhost_vsock"},
    Hook{"vhost_add_used", "vhost_vsock", kFunctionEntry,
         "bytes to the guest over vsock: vsock.rx.byte.rate", kVhostVsock, "vhost_vsock"},
    Hook{"virtio_transport_recv_pkt", "vhost_vsock", kTracepoint,
         "bytes from the guest over vsock: vsock.tx.byte.rate", kVhostVsock, "vhost_vsock"},
    Hook{.name = "vhost_vsock_dev_ioctl",
         .bpf = "vhost_vsock",
         .variants = kIoctlExit,
         .provides = "how vhost-vsock devices are set up: vhost.config.*, vhost.ring",
         .types = kVhostVsock,
         .module = "vhost_vsock",
         .weakness = kDescriptors},
};

}  // namespace

std::span<const Hook> VhostHooks() { return kVhostHooks; }

}  // namespace kvmsentry
