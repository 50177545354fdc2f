#include "sensor/daemon/housekeeper.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "spdlog/spdlog.h"

#include "sensor/daemon/free_memory.h"

namespace kvmsentry {
namespace {

// Of its hooks is VMs' births: it comes with KVM.
constexpr absl::string_view kSourceOfBirths = "kvm";

struct Audited {
  PinsAndLinks found;
  Probe::Skipped skipped_runs;
  uint64_t missed_probes = 0;
  std::vector<HookCoverage> fired;  // where hooks stand, if one fired for the first time
};

struct Tried {
  absl::StatusOr<size_t> count;
  std::vector<HookCoverage> coverage;
};

struct Obeyed {
  absl::Status shed;
  absl::Status restored;
  std::vector<HookCoverage> coverage;
};

}  // namespace

Housekeeper::Housekeeper(Sources& sources, HostWatch& host, CoverageBoard& coverage,
                         SelfCheck& self, HookProof& proof, const Clock& clock, double cost_budget,
                         std::unique_ptr<Worker> worker)
    : sources_(sources),
      probe_(sources.probe()),
      host_(host),
      coverage_(coverage),
      self_(self),
      proof_(proof),
      clock_(clock),
      meter_(std::max(1U, std::thread::hardware_concurrency())),
      cost_(cost_budget),
      worker_(std::move(worker)) {}

void Housekeeper::OnWake() {
  worker_->Finish();
  host_.StartWalk(*worker_);
}

void Housekeeper::OnTick(KernelTime now, const std::optional<Worker::Running>& other) {
  worker_->Finish();
  if (host_.TakeModulesLoaded()) modules_.Note(now);
  if (modules_.Take(now)) list_missing_ = true;
  self_.LookAt(LongerOf(LongestJob(), other), now);
  if (worker_->running() || StartCostStep() || host_.StartWalk(*worker_)) return;
  if (list_missing_ || !to_attach_.empty()) {
    StartAttaching();
  } else if (std::exchange(prove_, false)) {
    StartProof();
  } else if (now >= audit_at_) {
    StartAudit(now);
  }
}

// A source at a time, for each takes its time, and walks must not wait for all.
void Housekeeper::StartAttaching() {
  if (std::exchange(list_missing_, false)) {
    worker_->Start(
        "listing hooks that are not attached", [this] { return probe_.SourcesWithMissing(); },
        [this](std::vector<std::string> sources) { to_attach_ = std::move(sources); });
    return;
  }
  const std::string source = to_attach_.front();
  to_attach_.erase(to_attach_.begin());
  worker_->Start(
      "attaching hooks of a loaded module",
      [this, source] {
        sources_.BeforeAttach();
        return Tried{probe_.AttachMissing(source), probe_.coverage()};
      },
      [this, source](Tried tried) {
        coverage_.Take(std::move(tried.coverage), tried.count.ok() && *tried.count > 0);
        Attached(source, tried.count);
      });
}

void Housekeeper::Attached(const std::string& source, const absl::StatusOr<size_t>& count) {
  if (!count.ok()) {
    spdlog::error(
        "modules were loaded, but the hooks of {} could not be attached; restart kvmsentryd: {}",
        source, std::string(count.status().message()));
    return;
  }
  // A back end of KVM may come after KVM: until then no VM could be made.
  prove_ |= !proof_.proven();
  if (*count == 0) return;
  sources_.AfterAttach();
  prove_ |= source == kSourceOfBirths;
  spdlog::info("modules were loaded: {} more hooks of {} are attached", *count, source);
  host_.RequestWalk();  // there may be VMs that were made before their births were hooked
}

void Housekeeper::StartProof() {
  worker_->Start(
      "running the canary VM",
      [this] {
        proof_.Run();
        return probe_.coverage();
      },
      [this](std::vector<HookCoverage> coverage) {
        proof_.ReleaseRow();
        coverage_.Take(std::move(coverage), /*more=*/false);
      });
}

bool Housekeeper::StartCostStep() {
  switch (cost_.Due()) {
    case CostControl::Step::kNone:
      return false;
    case CostControl::Step::kBegin:
      worker_->Start(
          "starting to measure what the hooks cost",
          [this] { return meter_.Begin(probe_, clock_.Now()); },
          [this](const absl::Status& begun) { cost_.Began(begun); });
      return true;
    case CostControl::Step::kEnd:
      worker_->Start(
          "measuring what the hooks cost", [this] { return meter_.End(probe_, clock_.Now()); },
          [this](std::vector<HookCost> costs) {
            const KernelTime now = clock_.Now();
            const CostGuard::Verdict verdict = cost_.Ended(std::move(costs), now);
            if (verdict.shed != nullptr || verdict.restore != nullptr) Obey(verdict);
            self_.watch().Judge(Fault::kCost, cost_.Fault(), now);
          });
      return true;
  }
  return false;
}

void Housekeeper::Obey(const CostGuard::Verdict& verdict) {
  if (verdict.shed != nullptr) {
    spdlog::warn("{} ({}) is {}", std::string(verdict.shed->name),
                 std::string(verdict.shed->provides), verdict.reason);
  }
  worker_->Start(
      "keeping the hooks within their budget",
      [this, verdict] {
        absl::Status shed, restored;
        if (verdict.shed != nullptr) shed = probe_.Shed(*verdict.shed, verdict.reason);
        if (verdict.restore != nullptr) {
          sources_.BeforeAttach();
          restored = probe_.Restore(*verdict.restore);
        }
        return Obeyed{shed, restored, probe_.coverage()};
      },
      [this, verdict](Obeyed obeyed) {
        const bool more = verdict.restore != nullptr && obeyed.restored.ok();
        coverage_.Take(std::move(obeyed.coverage), more);
        if (!obeyed.shed.ok()) {
          spdlog::error("{} could not be detached: {}", std::string(verdict.shed->name),
                        std::string(obeyed.shed.message()));
        }
        if (verdict.restore == nullptr) return;
        const KernelTime now = clock_.Now();
        cost_.Restored(*verdict.restore, obeyed.restored, now);
        self_.watch().Judge(Fault::kCost, cost_.Fault(), now);
      });
}

void Housekeeper::StartAudit(KernelTime now) {
  audit_at_ = now + SelfCheck::kLookNs;
  worker_->Start(
      "auditing pins and links",
      [this] {
        Audited audited{.found = {.pins = probe_.AuditPins(),
                                  .links = probe_.AuditLinks(),
                                  .loader = probe_.AuditLoader(),
                                  .sight = probe_.sight().detail},
                        .skipped_runs = probe_.SkippedRuns(),
                        .missed_probes = probe_.MissedProbes(),
                        .fired = {}};
        if (probe_.NoteFired() != 0) audited.fired = probe_.coverage();
        ReturnFreeMemory();
        return audited;
      },
      [this](Audited audited) {
        self_.Take(audited.found, clock_.Now());
        skipped_runs_ = audited.skipped_runs;
        missed_probes_ = audited.missed_probes;
        if (!audited.fired.empty()) coverage_.Take(std::move(audited.fired), /*more=*/false);
      });
}

}  // namespace kvmsentry
