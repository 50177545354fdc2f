#include "sensor/source/vmm/copies.h"

namespace kvmsentry {

std::vector<Survivor> Copies::Take(KernelTime now, const std::vector<Survivor>& children) {
  std::map<std::pair<int32_t, uint64_t>, KernelTime> since;
  std::vector<Survivor> stay;
  for (const Survivor& child : children) {
    if (!child.copied) continue;
    const std::pair key(child.pid, child.begin);
    const auto known = since_.find(key);
    const KernelTime first = known == since_.end() ? now : known->second;
    since[key] = first;
    if (now - first >= kStaysNs) stay.push_back(child);
  }
  since_ = std::move(since);
  return stay;
}

}  // namespace kvmsentry
