#include "tests/vhost/net_device.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tests/support/wait.h"

namespace kvmsentry {
namespace {

constexpr size_t kFrameAt = 2 * Ring::kBytes;
// struct virtio_net_hdr, which the device adds and strips, and the least that Ethernet carries.
constexpr uint32_t kFrameBytes = 10 + 60;

absl::StatusOr<Fd> MakeTap() {
  Fd tap(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!tap) return absl::ErrnoToStatus(errno, "open /dev/net/tun");
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(tap.get(), TUNSETIFF, &request) != 0) return absl::ErrnoToStatus(errno, "TUNSETIFF");
  const Fd socket_of_net(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket_of_net) return absl::ErrnoToStatus(errno, "socket");
  request.ifr_flags = IFF_UP;
  if (ioctl(socket_of_net.get(), SIOCSIFFLAGS, &request) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("setting ", request.ifr_name, " up"));
  }
  return tap;
}

}  // namespace

NetDevice::NetDevice(const TestMemory& memory, Fd tap, VhostDevice vhost)
    : memory_(&memory),
      tap_(std::move(tap)),
      vhost_(std::move(vhost)),
      rx_(memory.bytes(), 0),
      tx_(memory.bytes(), Ring::kBytes) {}

absl::StatusOr<NetDevice> NetDevice::Open(const TestMemory& memory) {
  KVMSENTRY_ASSIGN_OR_RETURN(Fd tap, MakeTap());
  KVMSENTRY_ASSIGN_OR_RETURN(VhostDevice vhost, VhostDevice::Open("/dev/vhost-net"));
  NetDevice net(memory, std::move(tap), std::move(vhost));
  std::memset(memory.bytes().subspan(kFrameAt, kFrameBytes).data(), 0, kFrameBytes);
  VhostDevice& device = net.vhost_;
  KVMSENTRY_RETURN_IF_ERROR(device.SetFeatures(1ULL << VHOST_NET_F_VIRTIO_NET_HDR));
  KVMSENTRY_RETURN_IF_ERROR(device.SetMemory(memory));
  KVMSENTRY_RETURN_IF_ERROR(device.SetQueue(kRx, net.rx_));
  KVMSENTRY_RETURN_IF_ERROR(device.SetQueue(kTx, net.tx_));
  KVMSENTRY_RETURN_IF_ERROR(device.Set(VHOST_NET_SET_BACKEND,
                                       vhost_vring_file{.index = kTx, .fd = net.tap_.get()},
                                       "VHOST_NET_SET_BACKEND"));
  KVMSENTRY_RETURN_IF_ERROR(net.Settle());
  return net;
}

absl::Status NetDevice::Send(uint16_t frames) {
  for (uint16_t i = 0; i < frames; ++i) tx_.Offer(kFrameAt, kFrameBytes, /*writable=*/false);
  KVMSENTRY_RETURN_IF_ERROR(vhost_.Kick(kTx));
  if (WaitForWorker([this] { return tx_.given_back() == tx_.offered(); })) return absl::OkStatus();
  return absl::DeadlineExceededError("vhost-net did not send");
}

absl::Status NetDevice::AskForOddRing() {
  const absl::Status asked = vhost_.Set(
      VHOST_SET_VRING_NUM, vhost_vring_state{.index = kRx, .num = 3}, "VHOST_SET_VRING_NUM");
  if (asked.ok()) return absl::InternalError("vhost-net took a ring of three");
  return absl::IsInvalidArgument(asked) ? absl::OkStatus() : asked;
}

absl::Status NetDevice::SendNonsense() {
  if (!std::exchange(nonsense_, true)) tx_.OfferHead(Ring::kSize);
  KVMSENTRY_RETURN_IF_ERROR(vhost_.Kick(kTx));
  uint64_t complaints = 0;
  if (!WaitUntil([&] { return (complaints = vhost_.TakeErrors(kTx)) != 0; })) {
    return absl::DeadlineExceededError("vhost-net did not complain of a bad descriptor");
  }
  if (complaints == 1) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("vhost-net complained ", complaints, " times"));
}

}  // namespace kvmsentry
