#include "tests/vhost/device.h"

#include <bit>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <linux/vhost.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace kvmsentry {
namespace {

template <typename T>
uint64_t AddressOf(const T* object) {
  return std::bit_cast<uint64_t>(object);
}

}  // namespace

const unsigned long VhostDevice::kResetOwner = VHOST_RESET_OWNER;

absl::StatusOr<VhostDevice> VhostDevice::Open(const char* path) {
  Fd fd(open(path, O_RDWR | O_CLOEXEC));
  if (!fd) return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  VhostDevice device(std::move(fd));
  for (QueueEvents& events : device.events_) {
    for (Fd* event : {&events.kick, &events.call, &events.error}) {
      *event = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
      if (!*event) return absl::ErrnoToStatus(errno, "eventfd");
    }
  }
  KVMSENTRY_RETURN_IF_ERROR(device.Control(VHOST_SET_OWNER, "VHOST_SET_OWNER"));
  return device;
}

absl::Status VhostDevice::Control(unsigned long command, const char* name, void* argument) {
  ++ioctls_;
  if (ioctl(fd_.get(), command, argument) < 0) return absl::ErrnoToStatus(errno, name);
  return absl::OkStatus();
}

absl::Status VhostDevice::SetMemory(const TestMemory& memory) {
  // struct vhost_memory with one region: its array of none is no C++.
  struct {
    uint32_t regions = 1;
    uint32_t padding = 0;
    vhost_memory_region region{};
  } table;
  static_assert(sizeof(table) == sizeof(vhost_memory) + sizeof(vhost_memory_region));
  table.region.memory_size = memory.bytes().size();
  table.region.userspace_addr = memory.address();
  return Control(VHOST_SET_MEM_TABLE, "VHOST_SET_MEM_TABLE", &table);
}

absl::Status VhostDevice::SetFeatures(uint64_t features) {
  return Control(VHOST_SET_FEATURES, "VHOST_SET_FEATURES", &features);
}

absl::Status VhostDevice::SetAddresses(uint32_t index, const Ring& ring) {
  vhost_vring_addr addresses{};
  addresses.index = index;
  addresses.desc_user_addr = AddressOf(ring.descriptors());
  addresses.avail_user_addr = AddressOf(ring.available());
  addresses.used_user_addr = AddressOf(ring.used());
  return Control(VHOST_SET_VRING_ADDR, "VHOST_SET_VRING_ADDR", &addresses);
}

absl::Status VhostDevice::SetQueue(uint32_t index, const Ring& ring) {
  vhost_vring_state state{.index = index, .num = Ring::kSize};
  KVMSENTRY_RETURN_IF_ERROR(Control(VHOST_SET_VRING_NUM, "VHOST_SET_VRING_NUM", &state));
  state.num = 0;
  KVMSENTRY_RETURN_IF_ERROR(Control(VHOST_SET_VRING_BASE, "VHOST_SET_VRING_BASE", &state));
  KVMSENTRY_RETURN_IF_ERROR(SetAddresses(index, ring));
  const QueueEvents& events = events_[index];
  vhost_vring_file file{.index = index, .fd = events.kick.get()};
  KVMSENTRY_RETURN_IF_ERROR(Control(VHOST_SET_VRING_KICK, "VHOST_SET_VRING_KICK", &file));
  file.fd = events.call.get();
  KVMSENTRY_RETURN_IF_ERROR(Control(VHOST_SET_VRING_CALL, "VHOST_SET_VRING_CALL", &file));
  file.fd = events.error.get();
  return Control(VHOST_SET_VRING_ERR, "VHOST_SET_VRING_ERR", &file);
}

absl::Status VhostDevice::Kick(uint32_t index) {
  const uint64_t one = 1;
  if (write(events_[index].kick.get(), &one, sizeof(one)) != sizeof(one)) {
    return absl::ErrnoToStatus(errno, "kicking a queue");
  }
  return absl::OkStatus();
}

uint64_t VhostDevice::Take(const Fd& eventfd) {
  uint64_t count = 0;
  return read(eventfd.get(), &count, sizeof(count)) == sizeof(count) ? count : 0;
}

}  // namespace kvmsentry
