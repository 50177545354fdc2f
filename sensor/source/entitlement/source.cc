#include "sensor/source/entitlement/source.h"

#include <algorithm>
#include <utility>

#include "sensor/feature/member.h"
#include "sensor/source/catalogue.h"
#include "sensor/source/entitlement/claims.h"
#include "sensor/source/observe.h"

namespace kvmsentry {
namespace {

struct Sets {
  FeatureId runner = FeatureNamed("vm.runner");
  FeatureId manager = FeatureNamed("vm.manager");
  FeatureId undeclared = FeatureNamed("vm.undeclared");
  FeatureId memory = FeatureNamed("memory.shared");
  FeatureId grown = FeatureNamed("image.grown");
  FeatureId no_space = FeatureNamed("image.no_space");
  FeatureId monitor = FeatureNamed("monitor.network");
  FeatureId gained = FeatureNamed("vm.gained");
};

const Sets& Features() {
  static const Sets sets;
  return sets;
}

void Tell(VmId vm, KernelTime now, FeatureId feature, std::string text,
          std::vector<Observation>* out) {
  if (text.size() > kMaxMemberText) text.resize(kMaxMemberText);
  ObserveMember(vm, now, feature, Member{.text = std::move(text)}, out);
}

}  // namespace

absl::StatusOr<std::unique_ptr<EntitlementSource>> EntitlementSource::Open(const Probe& /*probe*/,
                                                                           SharedState& /*state*/) {
  return std::make_unique<EntitlementSource>();
}

void EntitlementSource::Unwatch(VmId id) {
  const auto vm = vms_.find(id);
  if (vm == vms_.end()) return;
  HaveMemory(id, vm->second, {});
  vms_.erase(vm);
}

absl::Status EntitlementSource::Release(const VmPlace& vm) {
  Unwatch(vm.vm);
  return absl::OkStatus();
}

void EntitlementSource::HaveMemory(VmId id, Vm& vm, std::map<std::string, std::string> files) {
  for (const auto& [file, name] : vm.memory) {
    const auto holders = holders_.find(file);
    holders->second.erase(id);
    if (holders->second.empty()) holders_.erase(holders);
  }
  for (const auto& [file, name] : files) holders_[file].insert(id);
  vm.memory = std::move(files);
}

void EntitlementSource::Entitle(VmId id, const Given& given) {
  const auto known = vms_.find(id);
  if (known == vms_.end()) return;
  Vm& vm = known->second;
  if (!vm.first) vm.first = given.privileges;
  vm.now = given.privileges;
  GiveUp(vm.now, &*vm.first);
  vm.runner = RunnerOf(given);
  vm.manager = ManagerOf(given);
  std::map<std::string, std::optional<KernelTime>> undeclared;
  for (std::string& device : UndeclaredOf(given)) {
    const auto before = vm.undeclared.find(device);
    undeclared[std::move(device)] = before == vm.undeclared.end() ? std::nullopt : before->second;
  }
  vm.undeclared = std::move(undeclared);
  HaveMemory(id, vm, MemoryFilesOf(given));
  vm.grown = GrownOf(given, &vm.image_sizes);
  vm.full = ImagesWithoutSpace(given);
  vm.monitors = NetworkMonitorsOf(given);
  vm.changed = true;
}

void EntitlementSource::Read(const Sampling& sampling, Reading* out) {
  const bool managed =
      std::ranges::any_of(vms_, [](const auto& vm) { return !vm.second.manager.empty(); });
  for (auto& [id, vm] : vms_) {
    if (!vm.first) continue;
    if (!std::exchange(vm.changed, false) && sampling.now - vm.told < kTellAgainNs) continue;
    vm.told = sampling.now;
    ReadVm(id, vm, sampling.now, managed, &out->observations);
  }
}

void EntitlementSource::ReadVm(VmId id, Vm& vm, KernelTime now, bool managed,
                               std::vector<Observation>* out) const {
  if (!vm.runner.empty()) Tell(id, now, Features().runner, vm.runner, out);
  // Where there is no manager, none need know it.
  if (managed) {
    Tell(id, now, Features().manager, vm.manager.empty() ? "none" : vm.manager, out);
  }
  if (!vm.since) vm.since = now;
  if (now - *vm.since < kConfinesItselfForNs) {
    vm.first->label = vm.now.label;
    vm.first->namespaces = vm.now.namespaces;
  }
  for (std::string& right : GainedSince(*vm.first, vm.now)) {
    Tell(id, now, Features().gained, std::move(right), out);
  }
  for (const auto& [file, name] : vm.memory) {
    if (holders_.at(file).size() > 1) Tell(id, now, Features().memory, name, out);
  }
  for (const std::string& image : vm.grown) Tell(id, now, Features().grown, image, out);
  for (const std::string& image : vm.full) Tell(id, now, Features().no_space, image, out);
  for (const std::string& monitor : vm.monitors) Tell(id, now, Features().monitor, monitor, out);
  for (auto& [device, since] : vm.undeclared) {
    if (!since) since = now;
    if (now - *since >= kUndeclaredForNs) Tell(id, now, Features().undeclared, device, out);
  }
}

}  // namespace kvmsentry
