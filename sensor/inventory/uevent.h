// KVM announces the creation and the destruction of every VM by a uevent (virt/kvm/kvm_main.c,
// kvm_uevent_notify_change).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <linux/netlink.h>
#include <sys/socket.h>

#include "absl/strings/string_view.h"

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

struct KvmUevent {
  enum class Kind { kCreate, kDestroy };
  Kind kind = Kind::kCreate;
  uint64_t created = 0;  // VMs ever made, since KVM was loaded
  uint64_t alive = 0;    // COUNT: VMs of the whole host that live, after this event
  int32_t pid = 0;  // kvm->userspace_pid: the *thread* that made the VM, so not always a process
  friend bool operator==(const KvmUevent&, const KvmUevent&) = default;
};

// Pure. nullopt for every message that is not KVM's, or is not whole.
std::optional<KvmUevent> ParseKvmUevent(absl::string_view message);

// Pure. Whether it tells that a module of KVM, vhost or VFIO was loaded, and has done its own
// set-up (kernel/module/main.c, do_init_module).
bool IsModuleLoaded(absl::string_view message);

// Whether the kernel sent it: any process with CAP_NET_ADMIN can multicast to the same group, but
// then under its own port, and the kernel stamps its pid into the credentials.
bool IsFromKernel(const sockaddr_nl& sender, const ucred* credentials);

struct UeventBatch {
  std::vector<KvmUevent> events;
  bool module_loaded = false;  // one of KVM, vhost or VFIO
  // Events were lost: walk again, and do not trust an earlier COUNT. What was still queued is older
  // than the loss, and its COUNTs are wrong by now: there are no events in such a batch.
  bool overrun = false;
};

// Not thread safe. Needs no privilege, but hears nothing in a user namespace of its own.
class UeventSocket {
 public:
  static absl::StatusOr<UeventSocket> Open();

  // Readable when there is something to Read(); never blocks.
  int fd() const { return fd_.get(); }

  // All that has come until now; of a flood a part, and fd() stays readable.
  absl::StatusOr<UeventBatch> Read();

 private:
  explicit UeventSocket(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
  bool overrun_ = false;  // until all that was queued before the loss is read
};

}  // namespace kvmsentry
