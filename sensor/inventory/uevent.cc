#include "sensor/inventory/uevent.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace kvmsentry {
namespace {

constexpr uint32_t kKernelGroup = 1;  // 2 is udevd's, after its rules
constexpr absl::string_view kHeader = "change@/devices/virtual/misc/kvm";

// The kernel's own buffer is UEVENT_BUFFER_SIZE, 2048, and a header (include/linux/kobject.h).
constexpr size_t kMaxMessage = 8192;

// All the host's uevents come here; a burst of hotplug must not push KVM's out.
constexpr int kReceiveBuffer = 4 << 20;

// A flood must not keep the caller here: the rest is left to the next call.
constexpr int kMaxMessagesPerRead = 4096;

template <typename T>
bool ParseNumber(absl::string_view text, T* out) {
  // SimpleAtoi would take signs and blanks, which the kernel never writes.
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return absl::SimpleAtoi(text, out);
}

}  // namespace

std::optional<KvmUevent> ParseKvmUevent(absl::string_view message) {
  if (message.size() > kMaxMessage || message.empty() || message.back() != '\0') return {};
  const size_t header_end = message.find('\0');
  if (message.substr(0, header_end) != kHeader) return {};
  message.remove_prefix(header_end + 1);

  KvmUevent event;
  bool kind = false, created = false, alive = false, pid = false;
  while (!message.empty()) {
    const size_t end = message.find('\0');
    absl::string_view field = message.substr(0, end);
    message.remove_prefix(end + 1);
    if (absl::ConsumePrefix(&field, "EVENT=")) {
      if (field != "create" && field != "destroy") return {};
      event.kind = field == "create" ? KvmUevent::Kind::kCreate : KvmUevent::Kind::kDestroy;
      kind = true;
    } else if (absl::ConsumePrefix(&field, "CREATED=")) {
      created = ParseNumber(field, &event.created);
    } else if (absl::ConsumePrefix(&field, "COUNT=")) {
      alive = ParseNumber(field, &event.alive);
    } else if (absl::ConsumePrefix(&field, "PID=")) {
      pid = ParseNumber(field, &event.pid);
    }
  }
  if (!kind || !created || !alive || !pid) return {};
  return event;
}

bool IsModuleLoaded(absl::string_view message) {
  if (!absl::ConsumePrefix(&message, "add@/module/")) return false;
  return absl::StartsWith(message, "kvm") || absl::StartsWith(message, "vhost") ||
         absl::StartsWith(message, "vfio") || absl::StartsWith(message, "vmw_vsock_") ||
         absl::StartsWith(message, "tun");
}

bool IsFromKernel(const sockaddr_nl& sender, const ucred* credentials) {
  return sender.nl_family == AF_NETLINK && sender.nl_pid == 0 && credentials != nullptr &&
         credentials->pid == 0 && credentials->uid == 0;
}

absl::StatusOr<UeventSocket> UeventSocket::Open() {
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
  if (!fd) return absl::ErrnoToStatus(errno, "open the kernel's uevent socket");

  // Over the limit with privilege, up to it without: then a burst is likelier to be an overrun.
  if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof(kReceiveBuffer)) !=
      0) {
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof(kReceiveBuffer));
  }
  const int on = 1;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0) {
    return absl::ErrnoToStatus(errno, "ask for the senders of uevents");
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kKernelGroup;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return absl::ErrnoToStatus(errno, "listen to the kernel's uevents");
  }
  return UeventSocket(std::move(fd));
}

absl::StatusOr<UeventBatch> UeventSocket::Read() {
  UeventBatch batch;
  std::array<char, kMaxMessage> buffer;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
  for (int i = 0; i < kMaxMessagesPerRead; ++i) {
    sockaddr_nl sender{};
    iovec data{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof(sender);
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t length = recvmsg(fd_.get(), &message, 0);
    if (length < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        batch.overrun |= std::exchange(overrun_, false);
        break;
      }
      if (errno == EINTR) continue;
      if (errno == ENOBUFS) {  // said once for any number lost, and before what is queued
        overrun_ = true;
        continue;
      }
      return absl::ErrnoToStatus(errno, "read the kernel's uevents");
    }
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    ucred credentials{};
    const bool has_credentials = header != nullptr && header->cmsg_level == SOL_SOCKET &&
                                 header->cmsg_type == SCM_CREDENTIALS;
    if (has_credentials) std::memcpy(&credentials, CMSG_DATA(header), sizeof(credentials));
    if (!IsFromKernel(sender, has_credentials ? &credentials : nullptr)) continue;
    if ((message.msg_flags & MSG_TRUNC) != 0) {
      overrun_ = true;
      continue;
    }
    const absl::string_view text(buffer.data(), static_cast<size_t>(length));
    if (const auto event = ParseKvmUevent(text)) batch.events.push_back(*event);
    batch.module_loaded |= IsModuleLoaded(text);
  }
  batch.overrun |= overrun_;
  if (batch.overrun) batch.events.clear();
  return batch;
}

}  // namespace kvmsentry
