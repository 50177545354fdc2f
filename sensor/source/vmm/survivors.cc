#include "sensor/source/vmm/survivors.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <bpf/bpf.h>
#include <fcntl.h>

#include "bpf/vmm/records.h"
#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

constexpr uint32_t kBatch = 1024;

}  // namespace

absl::StatusOr<Survivors> Survivors::Open(const Probe& probe) {
  Survivors survivors;
  survivors.children_ = Fd(fcntl(probe.MapFd("vmm_children"), F_DUPFD_CLOEXEC, 0));
  if (!survivors.children_) return absl::ErrnoToStatus(errno, "map vmm_children");
  return survivors;
}

std::map<VmId, std::vector<Survivor>> Survivors::Of(const std::set<VmId>& vms) {
  std::map<VmId, std::vector<Survivor>> all;
  const auto pids = std::make_unique<std::array<uint32_t, kBatch>>();
  const auto children = std::make_unique<std::array<ks_child, kBatch>>();
  uint32_t position = 0;
  bool more = true;
  for (bool first = true; more; first = false) {
    uint32_t count = kBatch;
    more = bpf_map_lookup_batch(children_.get(), first ? nullptr : &position, &position,
                                pids->data(), children->data(), &count, nullptr) == 0;
    if (!more && errno != ENOENT) break;
    for (uint32_t i = 0; i < count; ++i) {
      const ks_child& child = (*children)[i];
      const VmId vm{child.vm.serial};
      const auto pid = static_cast<int32_t>((*pids)[i]);
      if (!vms.contains(vm) || child.vm.role >= KS_ROLE_HELPER) continue;
      if (!IsStill(processes_, pid, child.begin / KS_TICK_NS)) continue;
      const absl::string_view program(child.program, strnlen(child.program, sizeof(child.program)));
      all[vm].push_back(
          {pid, Escape(program, sizeof(child.program)), child.begin, child.copied != 0});
    }
  }
  return all;
}

}  // namespace kvmsentry
