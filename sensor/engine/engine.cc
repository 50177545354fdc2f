#include "sensor/engine/engine.h"

#include <algorithm>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "sensor/engine/order.h"
#include "sensor/engine/watched_vm.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

bool ToldBefore(const AlertEvent& a, const AlertEvent& b) {
  return std::tie(a.at, a.vm.id) < std::tie(b.at, b.vm.id);
}

EngineTuning TuningOf(const EngineOptions& options) {
  return {.half_life_ns = options.half_life_ns,
          .update_every_ns = options.update_every_ns,
          .max_parts = options.max_parts,
          .bands = {Band{int64_t{options.notice_at} * 1000, Severity::kNotice},
                    Band{int64_t{options.warning_at} * 1000, Severity::kWarning},
                    Band{int64_t{options.critical_at} * 1000, Severity::kCritical}}};
}

using Iterator = Order::const_iterator;
using Vms = std::map<VmId, WatchedVm>;

}  // namespace

struct Engine::State {
  explicit State(std::shared_ptr<const SpecLibrary> library) : layouts(std::move(library)) {}

  // Of an array that all samples share.
  struct Range {
    size_t begin = 0, end = 0;
  };

  // A Sample that waits.
  struct Waiting {
    KernelTime time;
    SourceId source = SourceId::kKvm;
    bool lossy = false;
    Range counts, sightings, gauges;
    std::vector<bool> unchanged;  // by FeatureId; empty: none
  };

  Layouts layouts;
  EngineTuning tuning;
  Vms vms;
  UnchangedLogs unchanged;
  std::vector<Observation> pending;
  std::vector<Waiting> samples;
  std::vector<Count> counts;
  std::vector<Sighting> sightings;
  std::vector<Gauge> gauges;
  std::optional<KernelTime> last_tick;
  uint64_t unknown_vm = 0;
  uint64_t late = 0;

  bool IsLate(KernelTime time) const { return last_tick && time <= *last_tick; }
  // As of when what was seen at TIME is taken.
  KernelTime AsOf(KernelTime time) const { return IsLate(time) ? *last_tick : time; }
  // The VM of ID; nullptr, and counted, where it is not known. NEAR is where the one before stands,
  // for neighbours are mostly of one VM; first the end.
  WatchedVm* Known(VmId id, Vms::iterator& near);
  void TakeUntil(KernelTime now);
  void TakeInOrder(Iterator begin, Iterator end, KernelTime now);
  template <typename Wanted>
  void Take(Iterator begin, Iterator end, Wanted wanted);
  // Each of RANGE that is of a known VM goes to TAKE, as of AT.
  template <typename T, typename TakeOne>
  void TakeEach(const std::vector<T>& all, Range range, KernelTime time, TakeOne take);
  void TakeCounts(const Waiting& sample);
  void TakeUnchanged(const Waiting& sample);
  void TakeSightings(const Waiting& sample);
  void TakeGauges(const Waiting& sample);
};

void Engine::State::TakeUntil(KernelTime now) {
  const auto is_due = [now](const Observation* o) { return o->time <= now; };
  const Order order = InOrder(pending);
  TakeInOrder(order.begin(), std::partition_point(order.begin(), order.end(), is_due), now);
  std::erase_if(pending, [&](const Observation& o) { return is_due(&o); });
}

// What was sampled at a time is taken with the counts of that time.
void Engine::State::TakeInOrder(Iterator begin, Iterator end, KernelTime now) {
  const auto any = [](const Observation& /*o*/) { return true; };
  const auto is_count = [](const Observation& o) { return o.kind == ObservationKind::kCount; };
  const auto is_other = [&](const Observation& o) { return !is_count(o); };
  std::ranges::stable_sort(samples, {}, &Waiting::time);  // each source is in order already
  auto sample = samples.begin();
  while (sample != samples.end() && sample->time <= now) {
    const KernelTime time = sample->time;
    const auto first =
        std::partition_point(begin, end, [&](const Observation* o) { return o->time < time; });
    const auto after =
        std::partition_point(first, end, [&](const Observation* o) { return o->time <= time; });
    const auto next =
        std::find_if(sample, samples.end(), [&](const Waiting& s) { return s.time != time; });
    Take(begin, first, any);
    Take(first, after, is_count);
    for (const Waiting& at_time : std::span(sample, next)) TakeCounts(at_time);
    for (const Waiting& at_time : std::span(sample, next)) TakeUnchanged(at_time);
    for (const Waiting& at_time : std::span(sample, next)) TakeSightings(at_time);
    for (const Waiting& at_time : std::span(sample, next)) TakeGauges(at_time);
    Take(first, after, is_other);
    begin = after;
    sample = next;
  }
  samples.erase(samples.begin(), sample);
  if (samples.empty()) {  // they keep their room
    counts.clear();
    sightings.clear();
    gauges.clear();
  }
  Take(begin, end, any);
}

WatchedVm* Engine::State::Known(VmId id, Vms::iterator& near) {
  if (near == vms.end() || near->first != id) near = vms.find(id);
  if (near != vms.end()) return &near->second;
  ++unknown_vm;
  return nullptr;
}

template <typename Wanted>
void Engine::State::Take(Iterator begin, Iterator end, Wanted wanted) {
  auto near = vms.end();
  for (const Observation* observation : std::span(begin, end)) {
    if (!wanted(*observation)) continue;
    if (IsLate(observation->time)) ++late;
    if (WatchedVm* vm = Known(observation->vm, near)) {
      vm->Take(layouts, *observation, AsOf(observation->time), tuning, unchanged);
    }
  }
}

template <typename T, typename TakeOne>
void Engine::State::TakeEach(const std::vector<T>& all, Range range, KernelTime time,
                             TakeOne take) {
  late += IsLate(time) ? range.end - range.begin : 0;
  auto near = vms.end();
  for (const T& one : std::span(all).subspan(range.begin, range.end - range.begin)) {
    if (WatchedVm* vm = Known(one.vm, near)) take(*vm, one, AsOf(time));
  }
}

void Engine::State::TakeCounts(const Waiting& sample) {
  TakeEach(counts, sample.counts, sample.time,
           [&](WatchedVm& vm, const Count& count, KernelTime at) {
             vm.TakeCount(layouts, count, {.time = sample.time, .at = at, .lossy = sample.lossy},
                          tuning, unchanged);
           });
}

void Engine::State::TakeSightings(const Waiting& sample) {
  TakeEach(sightings, sample.sightings, sample.time,
           [](WatchedVm& vm, const Sighting& seen, KernelTime at) { vm.TakeSighting(seen, at); });
}

void Engine::State::TakeGauges(const Waiting& sample) {
  TakeEach(gauges, sample.gauges, sample.time,
           [&](WatchedVm& vm, const Gauge& gauge, KernelTime at) {
             vm.TakeGauge(layouts, gauge, at, sample.lossy, tuning);
           });
}

void Engine::State::TakeUnchanged(const Waiting& sample) {
  if (sample.unchanged.empty()) return;
  const UnchangedLogs::OfSource& of = unchanged.Source(sample.source);
  if (of.features != sample.unchanged) {
    for (auto& [id, vm] : vms) vm.CatchUp(unchanged, sample.source);
    unchanged.SetFeatures(sample.source, sample.unchanged);
    for (auto& [id, vm] : vms) vm.JoinLog(unchanged, sample.source);
  }
  unchanged.Source(sample.source).log.Add(sample.time);
  for (auto& [id, vm] : vms) {
    vm.TakeUnchanged(unchanged, sample.source, sample.time, AsOf(sample.time), sample.lossy);
  }
}

Engine::Engine(std::shared_ptr<const SpecLibrary> library, EngineOptions options)
    : state_(std::make_unique<State>(std::move(library))) {
  state_->tuning = TuningOf(options);
}

Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::SetLibrary(std::shared_ptr<const SpecLibrary> library) {
  state_->layouts = Layouts(std::move(library));
  for (auto& [id, vm] : state_->vms) vm.SetLibrary(state_->layouts, state_->unchanged);
}

void Engine::UpsertVm(const VmFacts& facts, KernelTime /*now*/) {
  const auto [vm, is_new] = state_->vms.try_emplace(facts.id, state_->layouts, facts);
  if (is_new) return;
  vm->second.SetRemoved(std::nullopt);
  if (vm->second.facts() != facts) {
    vm->second.SetFacts(state_->layouts, facts, state_->unchanged);
  }
}

void Engine::RemoveVm(VmId vm, KernelTime now) {
  const auto known = state_->vms.find(vm);
  if (known != state_->vms.end()) known->second.SetRemoved(now);
}

void Engine::NamePart(VmId vm, PartId part, std::string name) {
  const auto known = state_->vms.find(vm);
  if (known == state_->vms.end()) return;
  known->second.NamePart(state_->layouts, part, std::move(name), state_->unchanged);
}

void Engine::RemovePart(VmId vm, PartId part) {
  const auto known = state_->vms.find(vm);
  if (known != state_->vms.end()) known->second.RemovePart(part);
}

void Engine::Observe(Observation observation) { state_->pending.push_back(std::move(observation)); }

void Engine::Observe(const Sample& sample) {
  State& state = *state_;
  const auto append = [](const auto& more, auto& all) {
    const size_t begin = all.size();
    all.insert(all.end(), more.begin(), more.end());
    return State::Range{begin, all.size()};
  };
  State::Waiting waiting{.time = sample.time,
                         .source = sample.source,
                         .lossy = sample.lossy,
                         .counts = append(sample.counts, state.counts),
                         .sightings = append(sample.sightings, state.sightings),
                         .gauges = append(sample.gauges, state.gauges),
                         .unchanged = {}};
  if (!sample.unchanged.empty()) waiting.unchanged.resize(Catalogue().size());
  for (const FeatureId rate : sample.unchanged) waiting.unchanged[static_cast<size_t>(rate)] = true;
  state.samples.push_back(std::move(waiting));
}

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
