#include "sensor/source/changed_counts.h"

#include "sensor/source/catalogue.h"

namespace kvmsentry {

bool ChangedCounts::Changed(const Observation& count) {
  auto& counts = latest_[{count.vm, count.part}];
  counts.resize(Catalogue().size());
  auto& latest = counts[static_cast<size_t>(count.feature)];
  if (latest == count.value) return false;
  latest = count.value;
  return true;
}

void ChangedCounts::Forget(VmId vm) {
  std::erase_if(latest_, [vm](const auto& entry) { return entry.first.first == vm; });
}

}  // namespace kvmsentry
