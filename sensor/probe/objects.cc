#include "sensor/probe/objects.h"

#include <array>

// The only place that includes skeletons: their bytes are all that is used of them.
#include "control.skel.h"
#include "device.skel.h"
#include "dirty.skel.h"
#include "exit.skel.h"
#include "inject.skel.h"
#include "interrupt.skel.h"
#include "inventory.skel.h"
#include "ioctl.skel.h"
#include "life.skel.h"
#include "msr.skel.h"
#include "request.skel.h"
#include "self.skel.h"
#include "userspace.skel.h"
#include "vfio.skel.h"
#include "vhost.skel.h"
#include "vhost_net.skel.h"
#include "vhost_vsock.skel.h"

namespace kvmsentry {
namespace {

struct Object {
  absl::string_view name;
  const void* (*bytes)(size_t*);
};

constexpr std::array kObjects = {
    Object{"life", life_bpf__elf_bytes},
    Object{"inventory", inventory_bpf__elf_bytes},
    Object{"device", device_bpf__elf_bytes},
    Object{"msr", msr_bpf__elf_bytes},
    Object{"self", self_bpf__elf_bytes},
    Object{"userspace", userspace_bpf__elf_bytes},
    Object{"exit", exit_bpf__elf_bytes},
    Object{"inject", inject_bpf__elf_bytes},
    Object{"interrupt", interrupt_bpf__elf_bytes},
    Object{"request", request_bpf__elf_bytes},
    Object{"control", control_bpf__elf_bytes},
    Object{"dirty", dirty_bpf__elf_bytes},
    Object{"ioctl", ioctl_bpf__elf_bytes},
    Object{"vfio", vfio_bpf__elf_bytes},
    Object{"vhost", vhost_bpf__elf_bytes},
    Object{"vhost_net", vhost_net_bpf__elf_bytes},
    Object{"vhost_vsock", vhost_vsock_bpf__elf_bytes},
};

}  // namespace

std::span<const char> ObjectBytes(absl::string_view name) {
  for (const Object& object : kObjects) {
    if (object.name != name) continue;
    size_t size = 0;
    const auto* bytes = static_cast<const char*>(object.bytes(&size));
    return {bytes, size};
  }
  return {};
}

}  // namespace kvmsentry
