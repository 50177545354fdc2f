// What each pinned map is: whose, how large, and who may write to it. Said once, in the rows of its
// owner; loading, pins and freezing all follow them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/probe/hooks.h"

namespace kvmsentry {

struct MapSizes {
  uint32_t max_vms = 0;
  uint32_t max_vcpus = 0;
  uint32_t max_queues = 64;  // virtqueues that vhost serves
  uint32_t ring_bytes = 0;   // a power of two, at least a page
};

// What a map has an entry for.
enum class MapSize : uint8_t {
  kDeclared,  // as the program declares it
  kVms,
  kVcpus,
  kQueues,
  kOwners,  // things that belong to VMs
  kVmBits,  // a bit each, in words of 64
  kVcpuBits,
  kQueueBits,
  kRing,
};

uint32_t EntriesOf(MapSize size, const MapSizes& sizes);  // 0: as declared
absl::string_view OptionOf(MapSize size);                 // of kvmsentryd, empty without one

struct MapRow {
  absl::string_view name;
  MapSize size = MapSize::kDeclared;
  uint32_t value_size = 0;  // as user space knows it; 0: it does not look into the map
  bool frozen = false;      // only programs write to it: whoever else tries is refused
  bool pinned = true;       // kept over a restart; else each object has its own
};

// An ELF file that is built into this program.
using Elf = const void* (*)(size_t* size);
std::span<const char> BytesOf(Elf elf);

// What of a source is BPF.
struct BpfSource {
  absl::string_view name;       // the folder of its pins
  uint32_t number = 0;          // enum ks_source
  uint32_t layout_version = 0;  // of its maps: others are made again
  std::span<const MapRow> maps;
  Elf programs = nullptr;   // the object of all its programs, with all its maps
  Elf maps_only = nullptr;  // the object of its maps
  std::span<const Hook> hooks;
  bool sees_everybody = false;  // its programs run for processes that have no VM, too
  // Where tasks are preempted amid programs, its hooks are attached by dearer ones, amid which they
  // are not. A kprobe does not hold the module that it is in: other hooks of the source must.
  bool wants_unpreempted = false;
};

// The maps of all sources below one folder. SOURCES outlive it.
class MapPlan {
 public:
  MapPlan() = default;
  MapPlan(std::string pin_root, const MapSizes& sizes, std::vector<const BpfSource*> sources)
      : pin_root_(std::move(pin_root)), sizes_(sizes), sources_(std::move(sources)) {}

  // Those that belong to no source.
  static std::span<const MapRow> SharedMaps();

  // nullptr for a map that is nobody's, as those that hold an object's variables.
  const MapRow* Find(absl::string_view map) const;
  // Of a map that Find() knows.
  std::string PathOf(absl::string_view map) const;
  std::string FolderOf(const BpfSource& source) const;

  const std::string& pin_root() const { return pin_root_; }
  const MapSizes& sizes() const { return sizes_; }
  const std::vector<const BpfSource*>& sources() const { return sources_; }
  std::vector<const Hook*> hooks() const;
  // The source that HOOK, one of hooks(), is of.
  const BpfSource& SourceOf(const Hook& hook) const;
  // nullptr for an unknown name.
  const BpfSource* FindSource(absl::string_view name) const;

 private:
  std::string pin_root_;
  MapSizes sizes_;
  std::vector<const BpfSource*> sources_;
};

}  // namespace kvmsentry
