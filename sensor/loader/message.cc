#include "sensor/loader/message.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

namespace kvmsentry {
namespace {

// Reasons of some hundred bytes for each hook, at most.
constexpr size_t kMostBytes = size_t{192} << 10;

}  // namespace

absl::StatusOr<bool> ReadRequest(int socket, LoaderRequest* request) {
  for (;;) {
    const ssize_t got = recv(socket, request, sizeof(*request), MSG_TRUNC);
    if (got == static_cast<ssize_t>(sizeof(*request))) return true;
    if (got == 0) return false;
    if (got > 0) return absl::InvalidArgumentError(absl::StrCat("a request of ", got, " bytes"));
    if (errno == ECONNRESET) return false;
    if (errno != EINTR) return absl::ErrnoToStatus(errno, "reading a request");
  }
}

absl::Status SendRequest(int socket, const LoaderRequest& request) {
  while (send(socket, &request, sizeof(request), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return absl::ErrnoToStatus(errno, "asking the loader");
  }
  return absl::OkStatus();
}

absl::StatusOr<Packet> ReadPacket(int socket) {
  Packet packet;
  packet.bytes.resize(kMostBytes);
  alignas(cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))];
  iovec bytes{.iov_base = packet.bytes.data(), .iov_len = packet.bytes.size()};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return absl::ErrnoToStatus(errno, "reading the loader's answer");
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
      packet.descriptors.emplace_back(fd);
    }
  }
  if (got == 0) return absl::UnavailableError("the loader has ended");
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return absl::DataLossError(
        "descriptors of the loader's answer did not arrive: raise the limit of open files, or see "
        "whether a security "
        "module refused them");
  }
  packet.bytes.resize(static_cast<size_t>(got));
  return packet;
}

absl::Status SendPacket(int socket, std::string bytes, const std::vector<int>& descriptors) {
  if (descriptors.size() > kMostDescriptors || bytes.size() > kMostBytes) {
    return absl::InternalError(absl::StrCat("an answer of ", descriptors.size(),
                                            " descriptors and ", bytes.size(), " bytes"));
  }
  alignas(cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))] = {};
  iovec data{.iov_base = bytes.data(), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  const size_t size = descriptors.size() * sizeof(int);
  if (size != 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(part), descriptors.data(), size);
  }
  while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return absl::ErrnoToStatus(errno, "answering the daemon");
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
