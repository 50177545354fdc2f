#include "sensor/source/vhost/members.h"

#include <array>

#define VIRTIO_RING_NO_LEGACY  // which is no C++
#include <linux/vhost.h>

#include "bpf/vhost/records.h"

namespace kvmsentry {
namespace {

// NOLINTBEGIN(cppcoreguidelines-macro-usage): a name and the number behind it, written once.
#define VHOST(name) \
  NamedMember { _IOC_NR(VHOST_##name), #name }
// NOLINTEND(cppcoreguidelines-macro-usage)

constexpr std::array kNames = {
    VHOST(SET_OWNER),
    VHOST(RESET_OWNER),
    VHOST(SET_MEM_TABLE),
    VHOST(SET_LOG_BASE),
    VHOST(SET_LOG_FD),
    VHOST(SET_VRING_NUM),
    VHOST(SET_VRING_ADDR),
    VHOST(SET_VRING_BASE),
    VHOST(GET_VRING_BASE),
    VHOST(SET_VRING_ENDIAN),
    VHOST(GET_VRING_ENDIAN),
    VHOST(SET_VRING_KICK),
    VHOST(SET_VRING_CALL),
    VHOST(SET_VRING_ERR),
    VHOST(SET_VRING_BUSYLOOP_TIMEOUT),
    VHOST(GET_VRING_BUSYLOOP_TIMEOUT),
    VHOST(SET_BACKEND_FEATURES),
    VHOST(GET_BACKEND_FEATURES),
    VHOST(SET_FEATURES),
    VHOST(GET_FEATURES),
    VHOST(NET_SET_BACKEND),
    VHOST(SCSI_SET_ENDPOINT),
    VHOST(SCSI_CLEAR_ENDPOINT),
    VHOST(SCSI_SET_EVENTS_MISSED),
    VHOST(SCSI_GET_EVENTS_MISSED),
    VHOST(VSOCK_SET_GUEST_CID),
    VHOST(VSOCK_SET_RUNNING),
};

constexpr std::array kRings = {
    NamedMember{KS_RING_DESC, "descriptors"},
    NamedMember{KS_RING_AVAIL, "available"},
    NamedMember{KS_RING_USED, "used"},
};

std::span<const NamedMember> Rings() { return kRings; }
std::span<const NamedMember> Names() { return kNames; }

}  // namespace

constinit const MemberKind kVhostIoctl = {.key = "vhost_ioctl",
                                          .noun = "vhost ioctl",
                                          .largest = 255,
                                          .number = NumberFormat::kDecimal,
                                          .names = Names,
                                          .hint = "SET_LOG_BASE or 3-4"};

constinit const MemberKind kRing = {.key = "ring",
                                    .noun = "ring",
                                    .largest = KS_RING_USED,
                                    .number = NumberFormat::kDecimal,
                                    .names = Rings,
                                    .hint = "descriptors, available or used"};

}  // namespace kvmsentry
