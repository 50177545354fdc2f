#include "sensor/daemon/self_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

struct Words {
  absl::string_view id;
  Severity severity;
  absl::string_view broken;
  absl::string_view mended;
  absl::string_view why;
  absl::string_view look_at;
};

// In the order of Fault.
constexpr std::array<Words, kFaults> kWords = {{
    {"self-ring", Severity::kCritical, "the sensor's ring does not deliver",
     "the sensor's ring delivers again",
     "What passes a limit is reported late, by the next tick, until the ring delivers again.",
     "Which processes besides kvmsentryd have the pinned map ring open: bpftool map show."},
    {"self-tables", Severity::kCritical, "the sensor's maps were changed by somebody else",
     "the sensor's maps are as it left them",
     "Counts and names can no longer be trusted; this is how a watcher is blinded.",
     "Who may use bpf(2) on this host; then stop kvmsentryd, kvmsentryd --unpin, and start it."},
    {"self-pins", Severity::kCritical, "the sensor's pins were removed",
     "the sensor's pins are there again",
     "The counts of this run cannot be looked at with bpftool, and a restart begins at zero.",
     "Who removed them; a restart of kvmsentryd pins its maps again."},
    {"self-links", Severity::kCritical, "a program of the sensor does not run",
     "the sensor's programs run", "What that program counted is not seen any more.",
     "kvmsentry status for what depends on it; a restart of kvmsentryd attaches it again."},
    {"self-sight", Severity::kWarning, "the sensor sees little on this kernel",
     "the sensor sees what it should of KVM",
     "What the missing hooks count raises no alert: that a VM has none says little.",
     "kvmsentry status for each hook's reason; docs/kernels.md for what other kernels offer."},
    {"self-cost", Severity::kWarning, "the sensor's programs pass their cost budget",
     "the sensor's programs are within their cost budget",
     "What a shed hook reports is not seen until it is attached again; a guest can cause that by "
     "a storm.",
     "kvmsentry status for what each hook costs; the alerts of VMs that storm; --cost-budget."},
    {"self-worker", Severity::kWarning, "a worker of the sensor hangs",
     "the sensor's workers continue",
     "What a worker finds is missing: names, deaths and devices of VMs, hooks of modules that are "
     "loaded later, and whether pins and links are intact. Counters are read all the same.",
     "Processes in uninterruptible sleep (ps -eo pid,stat,wchan,comm); a restart of kvmsentryd."},
    {"self-journal", Severity::kWarning, "alerts are kept in memory, not on disk",
     "alerts are kept on disk again",
     "Subscribers get alerts all the same, but a restart loses those that are not on disk.",
     "The disk of --state-dir: its space, its mount options, its health."},
    {"self-sink", Severity::kWarning, "alerts do not reach where they should be written",
     "alerts are written again", "Whoever reads them there does not hear of them until then.",
     "Whether it is there, can be written, and has space; kvmsentry alerts shows them all the "
     "same."},
    {"self-loader", Severity::kWarning, "the sensor's loader has ended", "the sensor's loader runs",
     "What is attached stays and counts, but hooks of modules that are loaded later, and those "
     "that "
     "were shed, stay missing, and the cost of programs is not measured.",
     "The kernel's log for what ended it; a restart of kvmsentryd starts it again."},
    {"self-specs", Severity::kWarning, "a changed spec library was refused",
     "the spec library is loaded as its folders hold it",
     "What was loaded before is still loaded; a restart of kvmsentryd would fail.",
     "kvmsentry spec lint names each error; the folders of --specs and --site-specs."},
}};

}  // namespace

std::array<absl::string_view, kFaults> FaultIds() {
  std::array<absl::string_view, kFaults> ids;
  std::ranges::transform(kWords, ids.begin(), &Words::id);
  return ids;
}

std::optional<uint64_t> CanaryWatch::Send() {
  if (std::exchange(under_way_, true)) return std::nullopt;
  return ++number_;
}

void CanaryWatch::Returned(uint64_t number) {
  if (number == number_) under_way_ = false;
}

void SelfWatch::Judge(Fault fault, absl::string_view detail, KernelTime now) {
  State& state = states_[static_cast<size_t>(fault)];
  const bool broken = !detail.empty();
  state.count = broken ? state.count + 1 : state.count;
  state.detail = std::string(detail);
  const bool updated = broken && state.open;
  if (updated && (detail == state.told || now - state.told_at < kUpdateNs)) return;
  if (!broken && !state.open) return;
  if (broken && !state.open) {
    state.opened_at = now;
    state.count = 1;
  }
  state.open = broken;
  state.told = std::string(detail);
  state.told_at = now;
  const Words& words = kWords[static_cast<size_t>(fault)];
  AlertEvent& event = events_.emplace_back();
  event.key = std::string(words.id);
  event.state = updated ? AlertState::kUpdated : broken ? AlertState::kOpen : AlertState::kCleared;
  event.severity = broken ? words.severity : Severity::kInfo;
  event.spec_id = std::string(words.id);
  event.at = now;
  event.opened_at = state.opened_at;
  event.count = state.count;
  event.summary = broken ? absl::StrCat(words.broken, ": ", detail) : std::string(words.mended);
  event.why = std::string(words.why);
  event.look_at = std::string(words.look_at);
  event.observation_lost = broken && fault != Fault::kSpecs;
}

std::vector<FaultView> SelfWatch::Open() const {
  std::vector<FaultView> open;
  for (size_t fault = 0; fault < kFaults; ++fault) {
    if (!states_[fault].open) continue;
    const Words& words = kWords[fault];
    open.push_back({.id = std::string(words.id),
                    .severity = words.severity,
                    .text = absl::StrCat(words.broken, ": ", states_[fault].detail)});
  }
  return open;
}

std::vector<AlertEvent> SelfWatch::Take() { return std::exchange(events_, {}); }

}  // namespace kvmsentry
