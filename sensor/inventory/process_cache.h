// What was read of processes during one look at all VMs: each at most once, however many VMs it
// has.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"

#include "sensor/inventory/process.h"

namespace kvmsentry {

// Not thread safe. READER must outlive it.
class ProcessCache {
 public:
  explicit ProcessCache(ProcessReader* reader) : reader_(reader) {}

  // nullptr: there is none, or it cannot be read. Valid as long as the cache is.
  const ProcessFacts* Read(int32_t pid) {
    auto [it, fresh] = read_.try_emplace(pid);
    if (fresh && pid > 0) {
      if (auto process = reader_->Read(pid); process.ok()) it->second = *std::move(process);
    }
    return it->second ? &*it->second : nullptr;
  }

  bool IsStill(int32_t pid, uint64_t start_ticks) {
    auto [it, fresh] = starts_.try_emplace(pid, 0);
    if (fresh && pid > 0) it->second = reader_->ReadStart(pid).value_or(0);
    return start_ticks != 0 && it->second == start_ticks;
  }

 private:
  ProcessReader* reader_;
  std::map<int32_t, std::optional<ProcessFacts>> read_;
  absl::flat_hash_map<int32_t, uint64_t> starts_;
};

}  // namespace kvmsentry
