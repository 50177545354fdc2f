#include "tests/vmm/faults.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/base/fd.h"
#include "tests/vmm/memory.h"
#include "tests/vmm/temporary.h"
#include "tests/vmm/vcpu.h"

namespace kvmsentry {
namespace {

// One page of the VMM's memory, and who handles its faults.
struct Faults {
  Fd handler;
  uint64_t page = 0;
};

absl::StatusOr<Faults> TakeFaults() {
  const auto bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  Faults faults{.handler = Fd(static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC)))};
  void* page = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  faults.page = reinterpret_cast<uint64_t>(page);
  uffdio_api api{};
  api.api = UFFD_API;
  uffdio_register range{};
  range.range = {.start = faults.page, .len = bytes};
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (!faults.handler || page == MAP_FAILED || ioctl(faults.handler.get(), UFFDIO_API, &api) < 0 ||
      ioctl(faults.handler.get(), UFFDIO_REGISTER, &range) < 0) {
    return absl::ErrnoToStatus(errno, "userfaultfd");
  }
  return faults;
}

// As a VMM does that has moved, and fetches its pages when it needs them. The library shows a
// sensor that this is over.
absl::StatusOr<Operation> HandleFaults(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  return [] {
    KVMSENTRY_ASSIGN_OR_RETURN(const Faults faults, TakeFaults());
    uffdio_zeropage fill{};
    fill.range = {.start = faults.page, .len = static_cast<size_t>(sysconf(_SC_PAGESIZE))};
    if (ioctl(faults.handler.get(), UFFDIO_ZEROPAGE, &fill) != 0) {
      return absl::ErrnoToStatus(errno, "UFFDIO_ZEROPAGE");
    }
    return MapLibrary() ? absl::OkStatus() : absl::ErrnoToStatus(errno, "mapping a library");
  };
}

// To the first who asks at a socket: the page's address, with the descriptor.
absl::StatusOr<Operation> HandFaultsOut(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  KVMSENTRY_ASSIGN_OR_RETURN(Fd listening,
                             ListenAt(InTemporary(absl::StrCat("faults-", getpid(), ".sock"))));
  auto server = std::make_shared<Fd>(std::move(listening));
  return [server] {
    KVMSENTRY_ASSIGN_OR_RETURN(Faults faults, TakeFaults());
    const Fd client(accept(server->get(), nullptr, nullptr));
    if (!client) return absl::ErrnoToStatus(errno, "accept");
    iovec data{.iov_base = &faults.page, .iov_len = sizeof(faults.page)};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    const int handler = faults.handler.get();
    std::memcpy(CMSG_DATA(rights), &handler, sizeof(handler));
    return sendmsg(client.get(), &message, MSG_NOSIGNAL) > 0
               ? absl::OkStatus()
               : absl::ErrnoToStatus(errno, "handing the descriptor out");
  };
}

constexpr std::array kWithFaults = {
    KnownOperation{"handle-faults", HandleFaults},
    KnownOperation{"hand-faults-out", HandFaultsOut},
};

}  // namespace

std::span<const KnownOperation> FaultOperations() { return kWithFaults; }

}  // namespace kvmsentry
