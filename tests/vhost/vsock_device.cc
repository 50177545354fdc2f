#include "tests/vhost/vsock_device.h"

#include <cerrno>
#include <string>
#include <utility>

#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace kvmsentry {
namespace {

constexpr uint32_t kWindow = 1 << 20;  // of bytes on their way to the guest
constexpr uint16_t kBuffers = 16;
constexpr uint32_t kBufferBytes = 2 * Ring::kBytes;
constexpr uint64_t kBuffersAt = 2 * Ring::kBytes;
constexpr uint64_t kPacketAt = kBuffersAt + kBuffers * kBufferBytes;
constexpr uint32_t kPort = 1234;
static_assert(kPacketAt + kBufferBytes <= VsockDevice::kBytes);

}  // namespace

VsockDevice::VsockDevice(const TestMemory& memory, VhostDevice vhost, uint32_t cid)
    : memory_(&memory),
      vhost_(std::move(vhost)),
      cid_(cid),
      rx_(memory.bytes(), 0),
      tx_(memory.bytes(), Ring::kBytes) {}

absl::StatusOr<VsockDevice> VsockDevice::Open(const TestMemory& memory, uint32_t cid) {
  KVMSENTRY_ASSIGN_OR_RETURN(VhostDevice vhost, VhostDevice::Open("/dev/vhost-vsock"));
  VsockDevice vsock(memory, std::move(vhost), cid);
  VhostDevice& device = vsock.vhost_;
  KVMSENTRY_RETURN_IF_ERROR(device.SetFeatures(1ULL << VIRTIO_F_VERSION_1));
  KVMSENTRY_RETURN_IF_ERROR(device.SetMemory(memory));
  KVMSENTRY_RETURN_IF_ERROR(device.Set(VHOST_VSOCK_SET_GUEST_CID, uint64_t{cid}, "SET_GUEST_CID"));
  KVMSENTRY_RETURN_IF_ERROR(device.SetQueue(kRx, vsock.rx_));
  KVMSENTRY_RETURN_IF_ERROR(device.SetQueue(kTx, vsock.tx_));
  KVMSENTRY_RETURN_IF_ERROR(device.Set(VHOST_VSOCK_SET_RUNNING, 1, "SET_RUNNING"));
  for (uint64_t i = 0; i < kBuffers; ++i) {
    vsock.rx_.Offer(kBuffersAt + i * kBufferBytes, kBufferBytes, /*writable=*/true);
  }
  KVMSENTRY_RETURN_IF_ERROR(device.Kick(kRx));
  return vsock;
}

virtio_vsock_hdr* VsockDevice::HeaderAt(uint64_t address) const {
  return reinterpret_cast<virtio_vsock_hdr*>(
      memory_->bytes().subspan(address, sizeof(virtio_vsock_hdr)).data());
}

absl::StatusOr<virtio_vsock_hdr> VsockDevice::Receive() {
  if (!WaitForWorker([this] { return rx_.given_back() != received_; })) {
    return absl::DeadlineExceededError("vhost-vsock hands the guest nothing");
  }
  const uint64_t buffer = kBuffersAt + uint64_t{received_} % kBuffers * kBufferBytes;
  ++received_;
  const virtio_vsock_hdr header = *HeaderAt(buffer);
  rx_.Offer(buffer, kBufferBytes, /*writable=*/true);
  KVMSENTRY_RETURN_IF_ERROR(vhost_.Kick(kRx));
  return header;
}

absl::Status VsockDevice::Transmit(uint16_t operation, uint32_t payload) {
  virtio_vsock_hdr& header = *HeaderAt(kPacketAt);
  header = {};
  header.src_cid = cid_;
  header.dst_cid = request_.src_cid;
  header.src_port = request_.dst_port;
  header.dst_port = request_.src_port;
  header.len = payload;
  header.type = VIRTIO_VSOCK_TYPE_STREAM;
  header.op = operation;
  header.buf_alloc = kWindow;
  header.fwd_cnt = told_ = got_;
  tx_.Offer(kPacketAt, static_cast<uint32_t>(sizeof(header)) + payload, /*writable=*/false);
  KVMSENTRY_RETURN_IF_ERROR(vhost_.Kick(kTx));
  if (WaitForWorker([this] { return tx_.given_back() == tx_.offered(); })) return absl::OkStatus();
  return absl::DeadlineExceededError("vhost-vsock did not take the guest's packet");
}

absl::Status VsockDevice::Connect() {
  socket_ = Fd(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) return absl::ErrnoToStatus(errno, "socket(AF_VSOCK)");
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = cid_;
  address.svm_port = kPort;
  if (connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 &&
      errno != EINPROGRESS) {
    return absl::ErrnoToStatus(errno, "connecting to the guest");
  }
  KVMSENTRY_ASSIGN_OR_RETURN(request_, Receive());
  KVMSENTRY_RETURN_IF_ERROR(Transmit(VIRTIO_VSOCK_OP_RESPONSE, 0));
  pollfd writable{.fd = socket_.get(), .events = POLLOUT, .revents = 0};
  const auto limit = static_cast<int>(absl::ToInt64Milliseconds(kPatience));
  if (poll(&writable, 1, limit) == 1 && writable.revents == POLLOUT) return absl::OkStatus();
  return absl::UnavailableError("the host does not see the connection");
}

absl::Status VsockDevice::HostSends(size_t bytes) {
  const std::string text(bytes, 'x');
  if (write(socket_.get(), text.data(), bytes) != static_cast<ssize_t>(bytes)) {
    return absl::ErrnoToStatus(errno, "writing to the guest");
  }
  for (size_t got = 0; got < bytes;) {
    KVMSENTRY_ASSIGN_OR_RETURN(const virtio_vsock_hdr header, Receive());
    if (header.op == VIRTIO_VSOCK_OP_RW) got += header.len;
  }
  got_ += static_cast<uint32_t>(bytes);
  // Until it hears of what was taken, the host sends no more than its own buffer holds, 256 KiB.
  if (got_ - told_ < kWindow / 8) return absl::OkStatus();
  return Transmit(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
}

absl::Status VsockDevice::GuestSends(uint32_t bytes) {
  KVMSENTRY_RETURN_IF_ERROR(Transmit(VIRTIO_VSOCK_OP_RW, bytes));
  std::string text(bytes, '\0');
  size_t got = 0;
  const bool all = WaitForWorker([&] {
    const ssize_t count = read(socket_.get(), text.data(), text.size());
    if (count > 0) got += static_cast<size_t>(count);
    return got == bytes;
  });
  return all ? absl::OkStatus() : absl::DeadlineExceededError("the host misses bytes");
}

}  // namespace kvmsentry
