#include "sensor/source/resource/source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sensor/base/clock.h"
#include "sensor/base/escape.h"
#include "sensor/base/load.h"
#include "sensor/inventory/device.h"
#include "sensor/source/catalogue.h"
#include "sensor/source/resource/file_sights.h"

namespace kvmsentry {
namespace {

// Who had less than a quarter of what a VM waited for is not to blame.
constexpr uint64_t kTakersShare = 4;

// Of a long path the end says most, as the name of a container.
std::string EndOf(absl::string_view path) {
  constexpr size_t kMost = 96;
  const std::string shown = Escape(path);
  if (shown.size() <= kMost) return shown;
  return absl::StrCat("...", shown.substr(shown.size() - kMost));
}

}  // namespace

void ResourceTally::Show(const VmPlace& vm, VmDetails* details) const {
  const auto use = uses_.find(vm.vm);
  if (use == uses_.end()) return;
  details->counts.insert(use->second.counts.begin(), use->second.counts.end());
  details->levels.insert(use->second.levels.begin(), use->second.levels.end());
  details->mapped = use->second.mapped;
}

absl::StatusOr<std::unique_ptr<Source>> ResourceSource::Open(const Probe& probe,
                                                             SharedState& state) {
  KVMSENTRY_ASSIGN_OR_RETURN(ResourceTables tables, ResourceTables::Open(probe, state));
  return std::unique_ptr<ResourceSource>(new ResourceSource(probe, std::move(tables)));
}

Survey::Programs ResourceSource::Programs() const {
  const MapSizes& sizes = probe_->sizes();
  const auto program = [this](const std::string& name) { return probe_->ProgramFd(name); };
  return {.vms = Pass(program("resource_pass"), sizes),
          .taps = Pass(program("tap_pass"), sizes),
          .switches = program("sched_switch_while_waiting"),
          .tap_map = probe_->MapFd("resource_taps"),
          .victim_map = probe_->MapFd("resource_victims"),
          .taker_map = probe_->MapFd("resource_takers")};
}

void ResourceSource::Watch(const VmPlace& vm, std::span<const Limit> /*limits*/) {
  vms_.try_emplace(vm.vm, vm.vm, vm.slot);
}

void ResourceSource::Describe(VmId vm, const VmFacts& facts, const DeviceList& devices) {
  names_[vm] = facts.name;
  std::vector<TapFile> taps;
  for (const Device& device : devices.devices) {
    if (device.kind != DeviceKind::kTap || device.another_vms) continue;
    taps.push_back({.address = device.object, .ifindex = device.ifindex});
  }
  tables_.SetTaps(vm, taps);
}

void ResourceSource::Entitle(VmId vm, const Given& given) {
  const auto known = vms_.find(vm);
  if (known != vms_.end()) known->second.Bind(BoundsOf(given));
}

void ResourceSource::Unwatch(VmId vm) {
  vms_.erase(vm);
  names_.erase(vm);
  tables_.SetTaps(vm, {});
}

absl::Status ResourceSource::Release(const VmPlace& vm) {
  Unwatch(vm.vm);
  tables_.Release(vm);
  return absl::OkStatus();
}

void ResourceSource::AfterAttach() {
  if (survey_) survey_->Use(Programs());
}

void ResourceSource::Read(const Sampling& sampling, Reading* out) {
  if (!survey_) {
    survey_ = Survey::Start(Programs());
    return;
  }
  ResourceWriter write(sampling.now, sampling.active, out);
  for (auto& [id, vm] : vms_) vm.TakeVictims(tables_.OomVictims({id, vm.slot()}), write);
  const std::shared_ptr<const Survey::Report> report = survey_->Latest();
  if (!report || std::exchange(passes_, report->passes) == report->passes) return;
  TakePass(*report);
  // What was found is kept while there is no VM.
  if (auto sights = FileSightsOf(*report, names_); !sights.empty()) sights_ = std::move(sights);
  auto tally = std::make_shared<ResourceTally>();
  for (auto& [id, vm] : vms_) {
    vm.Observe(write);
    tally->Put(id, vm.use());
  }
  tally_ = std::move(tally);
  ObserveTakers(*report, write);
  Order(sampling.now);
}

void ResourceSource::TakePass(const Survey::Report& report) {
  for (auto& [id, vm] : vms_) {
    vm.BeginTaps();
    vm.TakeVm(tables_.Vm({id, vm.slot()}));
    vm.TakeDisks(tables_.Disks({id, vm.slot()}));
    const auto files = report.groups.find(id);
    vm.TakeFiles(files == report.groups.end() ? nullptr : &files->second);
  }
  const auto vm_of = [this](uint64_t serial) {
    const auto vm = vms_.find(VmId{serial});
    return vm == vms_.end() ? nullptr : &vm->second;
  };
  for (const ResourceTables::Vcpu& vcpu : tables_.Vcpus()) {
    if (ResourceVm* vm = vm_of(vcpu.row.vm_serial)) vm->TakeVcpu(vcpu.slot, vcpu.row);
  }
  for (const auto& [object, tap] : report.tap) {
    if (!tables_.HasTap(VmId{tap.serial}, object)) continue;  // gone since the report was made
    if (ResourceVm* vm = vm_of(tap.serial)) vm->TakeTap(tap);
  }
}

std::string ResourceSource::NameOf(const Survey::Taker& taker) const {
  if (const auto name = names_.find(taker.taker); name != names_.end()) {
    return absl::StrCat("vm:", name->second);
  }
  // A cgroup its manager has named, a process itself.
  if (!taker.cgroup.empty()) return absl::StrCat("cgroup:", EndOf(taker.cgroup));
  return absl::StrCat(taker.tgid != 0 ? "process:" : "kernel:", Escape(taker.comm));
}

void ResourceSource::ObserveTakers(const Survey::Report& report, ResourceWriter& write) const {
  static const FeatureId taken_by = FeatureNamed("cpu.taken_by");
  std::map<VmId, uint64_t> known;  // of how much it is known who had it
  std::map<std::pair<VmId, std::string>, uint64_t> taken;
  for (const Survey::Taker& taker : report.takers) {
    known[taker.victim] += taker.ns;
    // Its own threads wait for each other where it has fewer CPUs than threads: nobody's fault.
    if (taker.taker != taker.victim) taken[{taker.victim, NameOf(taker)}] += taker.ns;
  }
  for (const auto& [of, ns] : taken) {
    const auto vm = vms_.find(of.first);
    if (vm == vms_.end() || !vm->second.IsStarved()) continue;
    if (ns >= known[of.first] / kTakersShare) write.Text(of.first, taken_by, of.second);
  }
}

void ResourceSource::Order(KernelTime now) {
  std::vector<FilesWanted> wanted;
  std::vector<Survey::Victim> victims;
  for (const auto& [id, vm] : vms_) {
    if (vm.pid() != 0) wanted.push_back({id, vm.pid(), vm.IsShort()});
    for (const Survey::Victim& victim : vm.Waiting()) {
      if (victims.size() < KS_MAX_VICTIMS / 2) victims.push_back(victim);
    }
  }
  const bool on = zoom_.Judge(!victims.empty(), now);
  survey_->Want(std::move(wanted), on ? std::move(victims) : std::vector<Survey::Victim>());
}

std::vector<Loss> ResourceSource::Losses() const { return DescribeLosses(tables_.losses()); }

std::vector<Loss> DescribeLosses(const ks_resource_losses& losses) {
  return {
      {"row_lookup", "slots that led to no row of a table", Load(losses.row_lookup), true},
      {"table_update", "entries of tables that could not be made", Load(losses.table_update), true},
      {"shared_group", "requests of cgroups that several VMs are in: counted for none",
       Load(losses.shared_group), false},
      {"many_threads", "VMMs with more than 4,096 threads: their CPU time is too low",
       Load(losses.many_threads), true},
  };
}

}  // namespace kvmsentry
