#include "sensor/engine/engine.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "sensor/engine/watched_vm.h"

namespace kvmsentry {
namespace {

// Total, so that the order of arrival shows nowhere.
bool TakenBefore(const Observation& a, const Observation& b) {
  const auto key = [](const Observation& o) {
    return std::tie(o.time, o.vm, o.kind, o.serial, o.feature, o.value, o.window_ns, o.detail,
                    o.lossy);
  };
  return key(a) < key(b);
}

bool ToldBefore(const AlertEvent& a, const AlertEvent& b) {
  return std::tie(a.at, a.vm.id) < std::tie(b.at, b.vm.id);
}

std::vector<EngineSpec> OrderedByFeature(const SpecLibrary& library) {
  std::vector<EngineSpec> specs;
  specs.reserve(library.specs().size());
  for (const Spec& spec : library.specs()) specs.push_back({&spec, LimitsOf(spec)});
  std::ranges::stable_sort(specs, {}, [](const EngineSpec& s) { return s.spec->feature; });
  return specs;
}

EngineTuning TuningOf(const EngineOptions& options) {
  return {.half_life_ns = options.half_life_ns,
          .update_every_ns = options.update_every_ns,
          .bands = {Band{int64_t{options.notice_at} * 1000, Severity::kNotice},
                    Band{int64_t{options.warning_at} * 1000, Severity::kWarning},
                    Band{int64_t{options.critical_at} * 1000, Severity::kCritical}}};
}

}  // namespace

struct Engine::State {
  std::shared_ptr<const SpecLibrary> library;
  EngineTuning tuning;
  std::vector<EngineSpec> specs;
  std::map<VmId, WatchedVm> vms;
  std::vector<Observation> pending;
  std::optional<KernelTime> last_tick;
  uint64_t unknown_vm = 0;
  uint64_t late = 0;

  void TakeUntil(KernelTime now);
  void Take(std::vector<Observation>::iterator begin, std::vector<Observation>::iterator end);
};

void Engine::State::TakeUntil(KernelTime now) {
  const auto due = [now](const Observation& o) { return o.time <= now; };
  const auto end = std::partition(pending.begin(), pending.end(), due);
  // Most sources are in order already.
  if (!std::is_sorted(pending.begin(), end, TakenBefore)) {
    std::sort(pending.begin(), end, TakenBefore);
  }
  Take(pending.begin(), end);
  pending.erase(pending.begin(), end);
}

void Engine::State::Take(std::vector<Observation>::iterator begin,
                         std::vector<Observation>::iterator end) {
  auto vm = vms.end();
  for (auto observation = begin; observation != end; ++observation) {
    // Neighbours are mostly of one VM.
    if (vm == vms.end() || vm->first != observation->vm) vm = vms.find(observation->vm);
    const bool is_late = last_tick && observation->time <= *last_tick;
    late += is_late ? 1 : 0;
    if (vm == vms.end()) {
      ++unknown_vm;
      continue;
    }
    vm->second.Take(*observation, is_late ? *last_tick : observation->time);
  }
}

Engine::Engine(std::shared_ptr<const SpecLibrary> library, EngineOptions options)
    : state_(std::make_unique<State>()) {
  state_->library = std::move(library);
  state_->tuning = TuningOf(options);
  state_->specs = OrderedByFeature(*state_->library);
}

Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::UpsertVm(const VmFacts& facts, KernelTime /*now*/) {
  const auto [vm, is_new] = state_->vms.try_emplace(facts.id, state_->specs, facts);
  if (is_new) return;
  vm->second.SetRemoved(std::nullopt);
  if (vm->second.facts() != facts) vm->second.SetFacts(facts);
}

void Engine::RemoveVm(VmId vm, KernelTime now) {
  const auto known = state_->vms.find(vm);
  if (known != state_->vms.end()) known->second.SetRemoved(now);
}

void Engine::Observe(const Observation& observation) { state_->pending.push_back(observation); }

std::vector<AlertEvent> Engine::Tick(KernelTime now) {
  State& state = *state_;
  if (state.last_tick) now = std::max(now, *state.last_tick);
  state.TakeUntil(now);

  std::vector<AlertEvent> events;
  for (auto vm = state.vms.begin(); vm != state.vms.end();) {
    const auto removed_at = vm->second.removed_at();
    if (!removed_at) {
      vm->second.Tell(now, state.tuning, events);
      ++vm;
      continue;
    }
    // As of its end, so that a VM that follows it under the same name opens after it.
    const KernelTime end =
        std::min(now, std::max(*removed_at, state.last_tick.value_or(*removed_at)));
    vm->second.Tell(end, state.tuning, events);
    vm = state.vms.erase(vm);
  }
  std::ranges::stable_sort(events, ToldBefore);
  state.last_tick = now;
  return events;
}

std::optional<Engine::VmScore> Engine::ScoreOf(VmId vm) const {
  const auto known = state_->vms.find(vm);
  if (known == state_->vms.end()) return std::nullopt;
  return known->second.score();
}

uint64_t Engine::unknown_vm() const { return state_->unknown_vm; }
uint64_t Engine::late() const { return state_->late; }

}  // namespace kvmsentry
