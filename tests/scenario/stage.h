// One scenario as a test: the host that it plays on.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "scenario.pb.h"
#include "tests/e2e/fixture.h"
#include "tests/scenario/bridge.h"
#include "tests/scenario/debian_guest.h"
#include "tests/scenario/libvirt.h"

namespace kvmsentry::scenario {

class Stage : public E2eTest {
 public:
  explicit Stage(absl::StatusOr<Scenario> scenario) : scenario_(std::move(scenario)) { ++number_; }

 protected:
  static void TearDownTestSuite() { EndShared(); }
  void SetUp() override;
  void TestBody() override;
  void TearDown() override;

 private:
  // Whether any daemon with the library that ships will do, also one whose hooks have fired
  // already: one scenario after the other uses it, for its start takes longer than most of them.
  bool Shares() const;
  void Share();
  static void EndShared();

  // Steps. Each waits until what it does has happened.
  absl::Status Do(const Step& step);
  void NoteAlertTime(absl::Duration time);
  absl::Status StartTheDaemon();
  absl::Status WriteLibrary() const;
  absl::Status MakeTestProgramsKnown() const;
  absl::Status Start(const scenario::StartGuest& step);
  absl::Status Start(const scenario::StartVmm& step);
  absl::Status Start(const StartDebian& step);
  absl::Status Start(const StartDomain& step);
  absl::Status Move(const Migrate& step);
  absl::Status Begin(const std::string& vm);
  absl::Status Stop(const std::string& vm);
  absl::Status WaitEnd(const std::string& vm);
  absl::Status Wait(const WaitVm& step);
  absl::Status Run(const RunOnHost& step);
  // What a command begins with that works in the scenario's folder.
  std::vector<std::string> InFolder() const;
  std::vector<std::string> RunAs(const std::string& name) const;
  absl::StatusOr<Machine> MakeMachine(const StartDebian& step);

  // Expectations.
  absl::Status WaitForAlert(const AlertPattern& pattern);
  absl::Status WaitForCount(const Count& count);
  absl::Status WaitForCoverage(const CoverageOf& coverage);
  void ExpectNoAlert(const AlertPattern& pattern, const std::vector<v1::SpecInfo>& specs) const;
  void CheckExpectations();
  bool Fits(const AlertPattern& pattern, const v1::Alert& alert) const;

  // The host's name of a VM, "ROLE-e2e-PID-NUMBER": to a daemon that several scenarios share, the
  // VMs of each are others.
  static std::string Name(absl::string_view role);

  struct Shared {
    Place place;
    Daemon daemon;
  };
  static std::optional<Shared> shared_;
  static int number_;  // of the scenario in this process

  absl::StatusOr<Scenario> scenario_;
  std::optional<TempDir> folder_;
  std::optional<AlertStream> alerts_;
  std::optional<Bridge> bridge_;
  bool timed_ = false;
  std::map<std::string, Guest> guests_;
  std::map<std::string, DebianGuest> debians_;
  std::optional<Libvirt> libvirt_;
  std::map<std::string, pid_t> domains_;
};

// All that COUNT asks holds of VM.
bool Holds(const Count& count, const v1::VmStatus& vm);

}  // namespace kvmsentry::scenario
