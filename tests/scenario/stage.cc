#include "tests/scenario/stage.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <google/protobuf/text_format.h>

#include "absl/strings/str_replace.h"

#include "tests/scenario/needs.h"

namespace kvmsentry::scenario {

std::optional<Stage::Shared> Stage::shared_;
int Stage::number_ = 0;

std::string Stage::Name(absl::string_view role) {
  return absl::StrCat(E2eTest::Name(role), "-", number_);
}

void Stage::SetUp() {
  ASSERT_OK(scenario_);
  for (const int need : scenario_->needs()) {
    const std::string missing = Missing(static_cast<Need>(need));
    if (!missing.empty()) FAIL() << missing;
  }
  ASSERT_NO_FATAL_FAILURE(E2eTest::SetUp());
  ASSERT_OK_AND_ASSIGN(folder_, TempDir::Make());
  if (!Shares()) EndShared();
  if (!shared_) return;
  place_ = std::move(shared_->place);
  daemon_ = std::move(shared_->daemon);
  shared_.reset();
}

bool Stage::Shares() const {
  return scenario_->spec_size() == 0 && !scenario_->strangers() &&
         scenario_->expect().coverage_size() == 0 && scenario_->step(0).has_start_daemon();
}

void Stage::Share() {
  const auto is_empty = [&] {
    const auto vms = cli().Vms(absl::StrCat(Name("*"), "*"));
    return vms.ok() && vms->empty();
  };
  EXPECT_TRUE(WaitUntil(is_empty)) << "VMs stay listed";
  ExpectNoLoss();
  if (HasFailure()) return;
  shared_ = Shared{*std::move(place_), *std::move(daemon_)};
  place_.reset();
  daemon_.reset();
}

void Stage::EndShared() {
  if (!shared_) return;
  ExpectEnds(shared_->daemon);
  ExpectUnpins(shared_->place);
  shared_.reset();
}

// For docs/attacks.md: of the scenario's first alert.
void Stage::NoteAlertTime(absl::Duration time) {
  const char* path = std::getenv("KVMSENTRY_ALERT_TIMES");
  if (path == nullptr || timed_ || scenario_->attack().empty()) return;
  timed_ = true;
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  std::ofstream file(path, std::ios::app);
  file << test->name() << " " << absl::ToInt64Milliseconds(time) << "\n";
}

void Stage::TestBody() {
  absl::Time acted = absl::Now();
  for (int i = 0; i < scenario_->step_size(); ++i) {
    const Step& step = scenario_->step(i);
    const absl::Time began = absl::Now();
    const absl::Status done = Do(step);
    if (done.ok() && step.has_wait_alert()) NoteAlertTime(absl::Now() - acted);
    if (!step.has_wait_alert()) acted = began;
    if (!done.ok()) FAIL() << "step " << i + 1 << ", " << step.ShortDebugString() << ": " << done;
  }
  CheckExpectations();
}

void Stage::TearDown() {
  if (HasFailure() && alerts_) {
    for (const v1::Alert& alert : alerts_->alerts()) {
      std::cerr << v1::Alert::State_Name(alert.state()) << " " << alert.spec_id() << ": "
                << alert.summary() << "\n";
    }
  }
  alerts_.reset();
  guests_.clear();
  debians_.clear();
  libvirt_.reset();
  bridge_.reset();
  if (daemon_ && Shares() && !HasFailure()) Share();
  E2eTest::TearDown();
}

absl::Status Stage::Do(const Step& step) {
  switch (step.does_case()) {
    case Step::kStartDaemon:
      return StartTheDaemon();
    case Step::kStartGuest:
      return Start(step.start_guest());
    case Step::kStartVmm:
      return Start(step.start_vmm());
    case Step::kBegin:
      return Begin(step.begin());
    case Step::kStartDebian:
      return Start(step.start_debian());
    case Step::kStartDomain:
      return Start(step.start_domain());
    case Step::kRestartLibvirt:
      if (!libvirt_) return absl::FailedPreconditionError("libvirt was not started");
      return libvirt_->Restart();
    case Step::kMigrate:
      return Move(step.migrate());
    case Step::kStop:
      return Stop(step.stop());
    case Step::kWaitEnd:
      return WaitEnd(step.wait_end());
    case Step::kWaitAlert:
      return WaitForAlert(step.wait_alert());
    case Step::kWaitVm:
      return Wait(step.wait_vm());
    case Step::kWaitConsole:
      return debians_.at(step.wait_console().vm()).WaitForLine(step.wait_console().line());
    case Step::kMonitor:
      return debians_.at(step.monitor().vm())
          .Command(step.monitor().command(),
                   absl::StrReplaceAll(step.monitor().arguments(), {{"$TMPDIR", folder_->path()}}));
    case Step::kRun:
      return Run(step.run());
    case Step::DOES_NOT_SET:
      break;
  }
  return absl::InternalError("an empty step");
}

// As a site does that has VMMs of its own.
absl::Status Stage::MakeTestProgramsKnown() const {
  constexpr char kLayer[] =
      "override {\n"
      "  spec: \"rogue-vmm\"\n"
      "  norm { allow { runner: [\"uid * */kvmsentry-test-*\", \"uid * /usr/bin/qemu-*\"] } }\n"
      "}\n";
  std::filesystem::create_directory(place().site_specs());
  std::ofstream file(place().site_specs() + "/tests.textproto");
  file << kLayer;
  file.close();
  return file ? absl::OkStatus() : absl::InternalError("the site's layer cannot be written");
}

absl::Status Stage::StartTheDaemon() {
  if (!daemon_) {
    KVMSENTRY_RETURN_IF_ERROR(WriteLibrary());
    KVMSENTRY_ASSIGN_OR_RETURN(daemon_, Daemon::Start(place()));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(alerts_, cli().Follow());
  return absl::OkStatus();
}

absl::Status Stage::WriteLibrary() const {
  if (scenario_->spec_size() > 0) {
    v1::SpecFile file;
    *file.mutable_spec() = scenario_->spec();
    std::string text;
    google::protobuf::TextFormat::PrintToString(file, &text);
    return place().WriteSpecs("scenario.textproto", text);
  }
  std::error_code error;
  std::filesystem::copy(KVMSENTRY_SHIPPED_SPECS, place().specs(), error);
  if (error) return absl::ErrnoToStatus(error.value(), "copying " KVMSENTRY_SHIPPED_SPECS);
  return scenario_->strangers() ? absl::OkStatus() : MakeTestProgramsKnown();
}

}  // namespace kvmsentry::scenario
