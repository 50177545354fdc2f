#include "tests/vmm/tap.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace kvmsentry {
namespace {

// VIRTIO_NET_HDR_GSO_* are small numbers, and this is none of them.
constexpr uint8_t kNoKind = 0x7f;

// struct virtio_net_hdr, whose header C++ does not compile.
struct Header {
  uint8_t flags, gso_type;
  uint16_t hdr_len, gso_size, csum_start, csum_offset;
};

struct Frame {
  Header header;
  std::array<char, 60> bytes;
};

}  // namespace

absl::StatusOr<Tap> Tap::Open() {
  Fd tap(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!tap) return absl::ErrnoToStatus(errno, "opening /dev/net/tun");
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  std::strcpy(request.ifr_name, "kstap%d");
  if (ioctl(tap.get(), TUNSETIFF, &request) != 0) return absl::ErrnoToStatus(errno, "TUNSETIFF");
  const Fd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  request.ifr_flags = IFF_UP;  // the name is the kernel's by now
  if (ioctl(any.get(), SIOCSIFFLAGS, &request) != 0) {
    return absl::ErrnoToStatus(errno, "SIOCSIFFLAGS");
  }
  return Tap(std::move(tap), request.ifr_name);
}

absl::Status Tap::Write(uint8_t kind) {
  Frame frame{};
  frame.header.gso_type = kind;
  if (write(tap_.get(), &frame, sizeof(frame)) == sizeof(frame)) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "writing to a tap");
}

absl::Status Tap::SendNonsense() {
  if (absl::IsInvalidArgument(Write(kNoKind))) return absl::OkStatus();
  return absl::InternalError("the kernel takes a frame that makes no sense");
}

}  // namespace kvmsentry
