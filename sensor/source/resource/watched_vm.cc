#include "sensor/source/resource/watched_vm.h"

#include <algorithm>
#include <utility>

#include "sensor/base/load.h"
#include "sensor/source/resource/latency.h"
#include "sensor/source/resource/progress.h"

namespace kvmsentry {
namespace {

struct Ids {
  FeatureId used = FeatureNamed("cpu.used");
  FeatureId quota = FeatureNamed("cpu.quota.used");
  FeatureId throttled = FeatureNamed("cpu.throttled");
  FeatureId cpus = FeatureNamed("cpu.count");
  FeatureId waiting = FeatureNamed("cpu.waiting");
  FeatureId state = FeatureNamed("vcpu.state");
  FeatureId memory = FeatureNamed("memory.used");
  FeatureId mapped = FeatureNamed("memory.mapped");
  FeatureId resident = FeatureNamed("memory.resident");
  FeatureId swapped = FeatureNamed("memory.swapped");
  FeatureId locked = FeatureNamed("memory.locked");
  FeatureId huge = FeatureNamed("memory.huge");
  FeatureId p50 = FeatureNamed("disk.latency.p50");
  FeatureId p99 = FeatureNamed("disk.latency.p99");
  std::array<FeatureId, kPressures.size()> some = {FeatureNamed("pressure.cpu.some"),
                                                   FeatureNamed("pressure.memory.some"),
                                                   FeatureNamed("pressure.io.some")};
  std::array<FeatureId, kPressures.size()> full = {FeatureNamed("pressure.cpu.full"),
                                                   FeatureNamed("pressure.memory.full"),
                                                   FeatureNamed("pressure.io.full")};
  std::array<FeatureId, kResourceMeters> meters = {};
  Ids() {
    for (const Feature& feature : Catalogue()) {
      if (feature.source == SourceId::kResource && feature.meter) {
        meters[*feature.meter] = feature.id;
      }
    }
  }
};

const Ids& Features() {
  static const Ids ids;
  return ids;
}

// Tenths of a percent of the time.
constexpr uint64_t kWaitsMuch = 100;
constexpr uint64_t kStarves = 300;

}  // namespace

void ResourceVm::TakeVm(const std::optional<ks_resource_vm>& row) {
  for (auto& [slot, vcpu] : vcpus_) vcpu.fresh = false;
  if (!row || (now_ && now_->ended == row->ended)) return;
  before_ = std::exchange(now_, row);
  memory_.Take(*now_);
}

void ResourceVm::TakeVcpu(Slot slot, const ks_resource_vcpu& row) {
  Vcpu& vcpu = vcpus_[slot];
  if (vcpu.now.ended == row.ended) return;
  vcpu.index = row.index;
  vcpu.fresh = true;
  vcpu.before = std::exchange(vcpu.now, row);
  vcpu.time.reset();
  if (vcpu.before.ended == 0 || vcpu.before.tid != row.tid) return;
  vcpu.time = VcpuTime{Since(vcpu.before.run, row.run), Since(vcpu.before.delay, row.delay)};
}

void ResourceVm::TakeDisks(const ks_resource_disks* disks) {
  if (disks == nullptr) return;
  for (const ks_resource_disk& row : disks->disks) {
    const ks_resource_disk disk = LoadAll(row);
    if (disk.device == 0 && disk.reads + disk.writes == 0) continue;
    Disk& known = disks_[static_cast<uint32_t>(disk.device)];
    // What an earlier run counted is not of now.
    const bool first = known.latencies.empty();
    known.latencies.push_back(std::to_array(first ? disk.latencies : known.now.latencies));
    if (known.latencies.size() > kLatencyPasses) known.latencies.pop_front();
    known.now = disk;
  }
}

void ResourceVm::TakeTap(const ks_resource_tap& tap) {
  if (tap.ifindex != 0) taps_[tap.ifindex] = tap;
}

void ResourceVm::TakeFiles(const Survey::GroupSeen* files) {
  files_fresh_ = files != nullptr && (!files_ || files_->at != files->at);
  if (files == nullptr) {
    files_.reset();
  } else if (files_fresh_) {
    files_before_ = std::exchange(files_, *files);
  }
}

void ResourceVm::TakeVictims(uint64_t victims, ResourceWriter& write) {
  if (!now_ || victims <= now_->oom_victims) return;
  now_->oom_victims = victims;
  memory_.Take(*now_);
  write.Count(id_, Features().meters[kMemoryOomKillMeter], memory_.counts()[kMemoryOomKillMeter]);
}

bool ResourceVm::IsShort() const {
  if (!now_ || !before_) return false;
  const bool near = now_->memory_limit != KS_NO_LIMIT &&
                    now_->memory_used > now_->memory_limit - now_->memory_limit / 10;
  return near || now_->max_events != before_->max_events ||
         now_->high_events != before_->high_events || waited_ns_ > kNsPerSecond / 10 ||
         WaitsForDisks();
}

// A request that does not end shows in its thread alone, where that is a vCPU's.
bool ResourceVm::WaitsForDisks() const {
  uint64_t time_us = 0;
  for (const auto& [device, disk] : disks_) {
    time_us += SlowTimeOf(disk.latencies.back(), disk.now.latencies);
  }
  const auto is_blocked = [](const auto& vcpu) {
    return vcpu.second.fresh && vcpu.second.now.state == KS_VCPU_BLOCKED;
  };
  return time_us * 1000 > kNsPerSecond / 10 || std::ranges::any_of(vcpus_, is_blocked);
}

std::vector<Survey::Victim> ResourceVm::Waiting() const {
  std::vector<Survey::Victim> victims;
  for (const auto& [slot, vcpu] : vcpus_) {
    if (vcpu.fresh && vcpu.waiting > kWaitsMuch) victims.push_back({vcpu.now.tid, id_});
  }
  return victims;
}

void ResourceVm::Level(ResourceWriter& write, FeatureId feature, LevelNow level, PartId part) {
  write.Level(id_, feature, level, part);
  const Feature& row = FeatureOf(feature);
  double& shown = use_.levels[feature];
  shown = std::max(shown, static_cast<double>(level.value) / static_cast<double>(row.scale));
}

void ResourceVm::Count(ResourceWriter& write, FeatureId feature, uint64_t count, PartId part) {
  write.Count(id_, feature, count, part);
  use_.counts[feature] += count;
}

// How fast each count has grown since the pass before, which counted BEFORE.
void ResourceVm::AddRates(const absl::btree_map<FeatureId, uint64_t>& before) {
  const auto elapsed = static_cast<double>(Since(before_->time_ns, now_->time_ns));
  if (elapsed == 0) return;
  for (const auto& [feature, count] : use_.counts) {
    const auto earlier = before.find(feature);
    if (earlier == before.end()) continue;
    use_.levels[feature] = static_cast<double>(Since(earlier->second, count)) *
                           static_cast<double>(kNsPerSecond) / elapsed;
  }
}

void ResourceVm::Observe(ResourceWriter& write) {
  if (!now_ || !before_ || now_->ended == before_->ended) return;
  if ((now_->known & KS_KNOWN_PROCESS) == 0) return;
  const ResourceUse before = std::exchange(use_, {});
  ObserveCpu(write);
  ObserveVcpus(write);
  ObserveMemory(write);
  ObserveFiles(write);
  ObserveDisks(write);
  ObserveTaps(write);
  AddRates(before.counts);
}

void ResourceVm::ObserveCpu(ResourceWriter& write) {
  const auto vcpus = static_cast<uint32_t>(
      std::ranges::count_if(vcpus_, [](const auto& vcpu) { return vcpu.second.fresh; }));
  const CpuLevels cpu = CpuOf(*before_, *now_, vcpus);
  Level(write, Features().used, cpu.used);
  if (vcpus != 0) Level(write, Features().cpus, {vcpus, bounds_.vcpus});
  if ((now_->known & KS_KNOWN_CPU_GROUP) == 0) return;
  // Without a quota nothing is given, and nothing was used up.
  Level(write, Features().quota, cpu.quota.value_or(LevelNow{}));
  Level(write, Features().throttled, {cpu.throttled.value_or(0)});
}

void ResourceVm::ObserveVcpus(ResourceWriter& write) {
  std::vector<Vcpu*> there;
  std::vector<VcpuTime> times;
  std::vector<VcpuSeen> seen;
  for (auto& [slot, vcpu] : vcpus_) {
    if (!vcpu.fresh) continue;
    there.push_back(&vcpu);
    const VcpuTime time = vcpu.time.value_or(VcpuTime{});
    times.push_back(time);
    seen.push_back({.state = vcpu.now.state,
                    .ran_ns = time.ran_ns,
                    .exits = Since(vcpu.before.exits, vcpu.now.exits),
                    .outside = vcpu.now.outside != 0});
  }
  const uint64_t elapsed = Since(before_->time_ns, now_->time_ns);
  const bool moved = before_->cpu_group != now_->cpu_group;
  const uint64_t throttled = moved ? 0 : Since(before_->throttled, now_->throttled);
  const std::vector<uint64_t> waiting = WaitingOf(times, throttled, elapsed);
  const std::vector<VcpuProgress> progress = ProgressOf(seen);
  const bool starves = std::ranges::any_of(waiting, [](uint64_t part) { return part > kStarves; });
  starved_passes_ = starves ? starved_passes_ + 1 : 0;
  waited_ns_ = 0;
  for (size_t i = 0; i < there.size(); ++i) {
    Vcpu& vcpu = *there[i];
    const PartId part{PartKind::kVcpu, vcpu.index};
    vcpu.waiting = waiting[i];
    waited_ns_ += waiting[i] * elapsed / 1000;
    if (vcpu.time) Level(write, Features().waiting, {waiting[i]}, part);
    if (progress[i] == VcpuProgress::kUnknown) continue;
    write.State(id_, Features().state, static_cast<uint64_t>(progress[i]), part);
  }
}

void ResourceVm::ObserveMemory(ResourceWriter& write) {
  if ((now_->known & KS_KNOWN_MEMORY_GROUP) != 0) {
    const uint64_t limit = now_->memory_limit == KS_NO_LIMIT ? 0 : now_->memory_limit;
    Level(write, Features().memory, {now_->memory_used, limit});
  }
  use_.mapped = now_->configured;
  Level(write, Features().mapped, {now_->configured, bounds_.memory});
  Level(write, Features().resident, {now_->resident, now_->configured});
  Level(write, Features().swapped, {now_->swapped, now_->configured});
  Level(write, Features().locked, {now_->locked, now_->configured});
  Level(write, Features().huge, {now_->huge, now_->configured});
  for (const auto meter :
       {kMemoryHighMeter, kMemoryMaxMeter, kMemoryOomMeter, kMemoryOomKillMeter}) {
    Count(write, Features().meters[meter], memory_.counts()[meter]);
  }
}

void ResourceVm::ObserveFiles(ResourceWriter& write) {
  if (!files_ || !files_fresh_ || !files_before_) return;
  const GroupFiles& now = files_->files;
  const GroupFiles& before = files_before_->files;
  const auto elapsed_us = static_cast<uint64_t>((files_->at - files_before_->at) / 1000);
  if (now.path != before.path || elapsed_us == 0) return;
  const auto share = [&](uint64_t earlier, uint64_t later) {
    return LevelNow{Since(earlier, later) * 1000 / elapsed_us};
  };
  for (size_t of = 0; of < kPressures.size(); ++of) {
    const auto& from = before.stalls[of];
    const auto& to = now.stalls[of];
    if (!from || !to) continue;
    Level(write, Features().some[of], share(from->some_us, to->some_us));
    if (from->full_us && to->full_us) {
      Level(write, Features().full[of], share(*from->full_us, *to->full_us));
    }
  }
  if (!before.reclaim || !now.reclaim) return;
  reclaimed_ += Since(before.reclaim->pages, now.reclaim->pages);
  refaulted_ += Since(before.reclaim->refaults, now.reclaim->refaults);
  Count(write, Features().meters[kMemoryReclaimMeter], reclaimed_);
  Count(write, Features().meters[kMemoryRefaultMeter], refaulted_);
}

void ResourceVm::ObserveDisks(ResourceWriter& write) {
  for (const auto& [device, disk] : disks_) {
    const PartId part{PartKind::kDisk, device};
    const auto count = [&](ResourceMeter meter, uint64_t value) {
      Count(write, Features().meters[meter], value, part);
    };
    count(kDiskReadMeter, disk.now.reads);
    count(kDiskWriteMeter, disk.now.writes);
    count(kDiskReadBytesMeter, disk.now.read_bytes);
    count(kDiskWriteBytesMeter, disk.now.write_bytes);
    count(kDiskErrorMeter, disk.now.errors);
    const auto latency = [&from = disk.latencies.front(), &to = disk.now.latencies](
                             uint64_t percent) { return LevelNow{LatencyOf(from, to, percent)}; };
    Level(write, Features().p50, latency(50), part);
    Level(write, Features().p99, latency(99), part);
  }
}

void ResourceVm::ObserveTaps(ResourceWriter& write) {
  for (const auto& [ifindex, tap] : taps_) {
    const PartId part{PartKind::kTap, ifindex};
    const std::pair<ResourceMeter, uint64_t> counts[] = {
        {kTapSentPacketsMeter, tap.sent_packets},
        {kTapSentBytesMeter, tap.sent_bytes},
        {kTapSentDropsMeter, tap.sent_drops},
        {kTapSentErrorsMeter, tap.sent_errors},
        {kTapReceivedPacketsMeter, tap.received_packets},
        {kTapReceivedBytesMeter, tap.received_bytes},
        {kTapReceivedDropsMeter, tap.received_drops},
        {kTapReceivedErrorsMeter, tap.received_errors},
    };
    for (const auto& [meter, count] : counts) {
      Count(write, Features().meters[meter], count, part);
    }
  }
}

}  // namespace kvmsentry
