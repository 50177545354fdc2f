#include "tests/scenario/check.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "sensor/base/glob.h"

namespace kvmsentry::scenario {
namespace {

enum class Kind { kRaw, kDebian, kDomain };

const char* TextOf(Kind kind) {
  if (kind == Kind::kDomain) return "domain";
  return kind == Kind::kRaw ? "raw-KVM guest" : "Debian guest";
}

class Checker {
 public:
  explicit Checker(const Scenario& scenario) : scenario_(scenario) {}

  std::vector<Problem> Run() {
    if (scenario_.shows().empty()) Say("`shows` is missing: say in one line what it shows");
    if (scenario_.runs() == RUNS_UNSPECIFIED) Say("`runs` is missing: ANYWHERE, LAB or INTEL");
    for (step_ = 0; step_ < scenario_.step_size(); ++step_) CheckStep(scenario_.step(step_));
    step_ = -1;
    if (!daemon_) Say("no step is start_daemon");
    CheckExpect(scenario_.expect());
    return std::move(problems_);
  }

 private:
  void Say(std::string what) { problems_.push_back({step_, std::move(what)}); }

  bool Needs(Need need) const {
    return std::ranges::find(scenario_.needs(), need) != scenario_.needs().end();
  }
  void Require(Need need) {
    if (!Needs(need)) Say(absl::StrCat("it takes `needs: ", Need_Name(need), "`"));
  }

  void Start(const std::string& vm, Kind kind) {
    const bool plain = !vm.empty() && std::ranges::all_of(vm, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return absl::ascii_islower(byte) || absl::ascii_isdigit(byte) || c == '-';
    });
    if (!plain) Say(absl::StrCat("VM \"", vm, "\": a name is of a-z, 0-9 and '-'"));
    if (!vms_.emplace(vm, kind).second) Say(absl::StrCat("VM \"", vm, "\" was started already"));
  }
  void Use(const std::string& vm) {
    if (!vms_.contains(vm)) Say(absl::StrCat("no VM \"", vm, "\" was started before"));
  }
  void Use(const std::string& vm, Kind kind) {
    Use(vm);
    const auto known = vms_.find(vm);
    if (known == vms_.end() || known->second == kind) return;
    Say(absl::StrCat("VM \"", vm, "\" is no ", TextOf(kind)));
  }
  // A domain is libvirt's: it has no gate, and ends with the scenario.
  void UseGuest(const std::string& vm) {
    Use(vm);
    const auto known = vms_.find(vm);
    if (known == vms_.end() || known->second != Kind::kDomain) return;
    Say(absl::StrCat("VM \"", vm, "\" is a domain of libvirt, no guest"));
  }
  bool HasDomain() const {
    return std::ranges::any_of(vms_, [](const auto& vm) { return vm.second == Kind::kDomain; });
  }
  void NeedDaemon() {
    if (!daemon_) Say("this needs start_daemon before it");
  }

  void CheckCount(const Count& count) {
    if (count.feature().empty()) Say("a count needs a `feature`");
    if (!count.has_exactly() && !count.has_at_least()) Say("a count: `exactly` or `at_least`");
  }

  void CheckDebian(const StartDebian& debian) {
    Require(DEBIAN_GUEST);
    if (debian.vhost_net()) Require(VHOST_NET);
    if (!debian.disk_of().empty()) {
      Use(debian.disk_of(), Kind::kDebian);
      if (debian.disk()) Say("its disk is another VM's (`disk_of`): leave out `disk`");
    }
    if (debian.disk_shared() && !debian.disk()) Say("`disk_shared` without a `disk`");
    if (!debian.receives().empty()) {
      Use(debian.receives(), Kind::kDebian);
      if (debian.vcpus() != 0 || debian.vhost_net() || debian.disk() || debian.floppy() ||
          debian.folder() || !debian.does().empty()) {
        Say("a VM that receives another has what that has: leave out all but `vm`");
      }
    }
    Start(debian.vm(), Kind::kDebian);
  }

  void CheckWaitVm(const WaitVm& wait) {
    NeedDaemon();
    Use(wait.vm());
    for (const Count& count : wait.count()) {
      CheckCount(count);
      if (!count.vm().empty()) Say("a count of wait_vm is of its `vm`: leave out its own");
    }
    if (wait.gone() && (wait.exited() || wait.vcpus() != 0 || wait.has_seen_from_birth() ||
                        wait.count_size() > 0)) {
      Say("a VM that is gone has nothing else to wait for");
    }
  }

  void CheckStep(const Step& step) {
    switch (step.does_case()) {
      case Step::kStartDaemon:
        if (daemon_) Say("the daemon was started already");
        daemon_ = true;
        return;
      case Step::kStartGuest:
        return Start(step.start_guest().vm(), Kind::kRaw);
      case Step::kStartVmm:
        return Start(step.start_vmm().vm(), Kind::kRaw);
      case Step::kBegin:
        return UseGuest(step.begin());
      case Step::kStartDebian:
        return CheckDebian(step.start_debian());
      case Step::kStartDomain:
        Require(LIBVIRT);
        if (scenario_.runs() != LAB) Say("libvirt is set up in the lab alone: `runs: LAB`");
        return Start(step.start_domain().vm(), Kind::kDomain);
      case Step::kRestartLibvirt:
        if (!HasDomain()) Say("this needs start_domain before it");
        return;
      case Step::kMigrate:
        Use(step.migrate().from(), Kind::kDebian);
        Use(step.migrate().to(), Kind::kDebian);
        if (step.migrate().mode() == Migrate::MODE_UNSPECIFIED) {
          Say("`mode` is missing: PRECOPY or POSTCOPY");
        }
        return;
      case Step::kStop:
        return UseGuest(step.stop());
      case Step::kWaitEnd:
        return UseGuest(step.wait_end());
      case Step::kWaitAlert:
        NeedDaemon();
        if (step.wait_alert().state() == v1::Alert::STATE_UNSPECIFIED) {
          Say("`state` is missing: OPEN, UPDATED or CLEARED");
        }
        return CheckPattern(step.wait_alert());
      case Step::kWaitVm:
        return CheckWaitVm(step.wait_vm());
      case Step::kWaitConsole:
        if (step.wait_console().line().empty()) Say("`line` is missing");
        return Use(step.wait_console().vm(), Kind::kDebian);
      case Step::kMonitor:
        if (step.monitor().command().empty()) Say("`command` is missing");
        return Use(step.monitor().vm(), Kind::kDebian);
      case Step::kRun:
        if (step.run().command().empty()) Say("`command` is missing");
        return;
      case Step::DOES_NOT_SET:
        return Say("the step does nothing");
    }
  }

  void CheckPattern(const AlertPattern& pattern) {
    const bool fits = std::ranges::any_of(
        vms_, [&](const auto& vm) { return GlobMatch(pattern.vm(), vm.first); });
    if (!fits) Say(absl::StrCat("an alert of VM \"", pattern.vm(), "\": no such VM is started"));
    if (pattern.spec().empty()) Say("an alert needs a `spec`");
  }

  void CheckExpect(const Expect& expect) {
    if (expect.ByteSizeLong() == 0) Say("it expects nothing, so it shows nothing");
    for (const AlertPattern& pattern : expect.alert()) CheckPattern(pattern);
    for (const AlertPattern& pattern : expect.no_alert()) CheckPattern(pattern);
    for (const Count& count : expect.count()) {
      CheckCount(count);
      Use(count.vm());
    }
    for (const CoverageOf& coverage : expect.coverage()) {
      if (coverage.of_case() == CoverageOf::OF_NOT_SET) Say("a coverage: of `spec` or of `hook`");
      if (coverage.is() == v1::COVERAGE_UNSPECIFIED) Say("a coverage: `is` is missing");
    }
  }

  const Scenario& scenario_;
  int step_ = -1;
  bool daemon_ = false;
  std::map<std::string, Kind> vms_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> Check(const Scenario& scenario) { return Checker(scenario).Run(); }

}  // namespace kvmsentry::scenario
