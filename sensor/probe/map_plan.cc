#include "sensor/probe/map_plan.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"

#include "bpf/records.h"

namespace kvmsentry {
namespace {

constexpr std::array kSharedMaps = {
    MapRow{.name = "state", .value_size = sizeof(ks_state)},
    MapRow{.name = "ring", .size = MapSize::kRing},
    MapRow{.name = "calls", .frozen = true, .pinned = false},
};

// Its address space, process, cgroup, and some disks and taps; a VM may have more while others have
// fewer.
constexpr uint32_t kOwnedByAVm = 16;

uint32_t WordsFor(uint32_t bits) { return (bits + 63) / 64; }

}  // namespace

std::span<const char> BytesOf(Elf elf) {
  size_t size = 0;
  const auto* bytes = static_cast<const char*>(elf(&size));
  return {bytes, size};
}

uint32_t EntriesOf(MapSize size, const MapSizes& sizes) {
  switch (size) {
    case MapSize::kDeclared:
      return 0;
    case MapSize::kVms:
      return sizes.max_vms;
    case MapSize::kVcpus:
      return sizes.max_vcpus;
    case MapSize::kQueues:
      return sizes.max_queues;
    case MapSize::kOwners:
      return sizes.max_vms * kOwnedByAVm;
    case MapSize::kVmBits:
      return WordsFor(sizes.max_vms);
    case MapSize::kVcpuBits:
      return WordsFor(sizes.max_vcpus);
    case MapSize::kQueueBits:
      return WordsFor(sizes.max_queues);
    case MapSize::kRing:
      return sizes.ring_bytes;
  }
  return 0;
}

absl::string_view OptionOf(MapSize size) {
  switch (size) {
    case MapSize::kDeclared:
      return {};
    case MapSize::kVms:
    case MapSize::kOwners:
    case MapSize::kVmBits:
      return "--max-vms";
    case MapSize::kVcpus:
    case MapSize::kVcpuBits:
      return "--max-vcpus";
    case MapSize::kQueues:
    case MapSize::kQueueBits:
      return "--max-queues";
    case MapSize::kRing:
      return "--ring-kib";
  }
  return {};
}

std::span<const MapRow> MapPlan::SharedMaps() { return kSharedMaps; }

const MapRow* MapPlan::Find(absl::string_view map) const {
  const auto in = [map](std::span<const MapRow> rows) -> const MapRow* {
    const auto found = std::ranges::find(rows, map, &MapRow::name);
    return found == rows.end() ? nullptr : &*found;
  };
  if (const MapRow* shared = in(kSharedMaps)) return shared;
  for (const BpfSource* source : sources_) {
    if (const MapRow* row = in(source->maps)) return row;
  }
  return nullptr;
}

std::string MapPlan::PathOf(absl::string_view map) const {
  for (const BpfSource* source : sources_) {
    if (std::ranges::find(source->maps, map, &MapRow::name) == source->maps.end()) continue;
    return absl::StrCat(FolderOf(*source), "/", map);
  }
  return absl::StrCat(pin_root_, "/", map);
}

std::string MapPlan::FolderOf(const BpfSource& source) const {
  return absl::StrCat(pin_root_, "/", source.name);
}

std::vector<const Hook*> MapPlan::hooks() const {
  std::vector<const Hook*> hooks;
  for (const BpfSource* source : sources_) {
    for (const Hook& hook : source->hooks) hooks.push_back(&hook);
  }
  return hooks;
}

const BpfSource& MapPlan::SourceOf(const Hook& hook) const {
  return **std::ranges::find_if(sources_, [&](const BpfSource* source) {
    return std::ranges::any_of(source->hooks, [&](const Hook& its) { return &its == &hook; });
  });
}

const BpfSource* MapPlan::FindSource(absl::string_view name) const {
  const auto found = std::ranges::find(sources_, name, &BpfSource::name);
  return found == sources_.end() ? nullptr : *found;
}

}  // namespace kvmsentry
