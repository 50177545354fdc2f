#include "sensor/source/vmm/copies.h"

#include <algorithm>
#include <utility>

#include "bpf/vmm/records.h"
#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

// Of the program at PATH, as the kernel's programs note it of a child.
std::string NameOf(absl::string_view path) {
  constexpr size_t kRoom = sizeof(ks_child::program);
  const size_t slash = path.rfind('/');
  const absl::string_view name = slash == path.npos ? path : path.substr(slash + 1);
  return Escape(name.substr(0, kRoom - 1), kRoom);
}

}  // namespace

std::vector<Survivor> Copies::Take(KernelTime now, absl::string_view program,
                                   const std::vector<Survivor>& children) {
  const std::string name = NameOf(program);
  std::map<int32_t, KernelTime> since;
  std::vector<Survivor> stay;
  for (const Survivor& child : children) {
    if (child.program != name) continue;
    const auto known = since_.find(child.pid);
    const KernelTime first = known == since_.end() ? now : known->second;
    since[child.pid] = first;
    if (now - first >= kStaysNs) stay.push_back(child);
  }
  since_ = std::move(since);
  return stay;
}

}  // namespace kvmsentry
