#include "tests/e2e/fixture.h"

#include <cerrno>
#include <cstring>
#include <iostream>
#include <utility>

#include <bpf/bpf.h>
#include <google/protobuf/util/message_differencer.h>
#include <unistd.h>

#include "tests/support/host.h"

namespace kvmsentry {
namespace {

// Far more time than a test takes, so that none ends by its own.
std::string NamedForLong(const std::string& name, absl::string_view options) {
  return absl::StrCat("--name ", name, " --seconds 600 ", options);
}

}  // namespace

void E2eTest::SetUp() {
  const std::string missing = MissingForBpf("e2e");
  ASSERT_TRUE(missing.empty()) << missing;
  ASSERT_OK(RemoveLeftovers());
  ASSERT_OK_AND_ASSIGN(place_, Place::Make());
}

void FewHooksTest::SetUp() {
  ASSERT_NO_FATAL_FAILURE(E2eTest::SetUp());
  place_->set_options(FewHooks());
}

void E2eTest::TearDown() {
  if (daemon_) {
    ExpectNoLoss();
    if (HasFailure()) std::cerr << "the daemon's log:\n" << daemon_->Log();
    StopDaemon();
  }
  if (place_) ExpectUnpins(*place_);
}

void E2eTest::ExpectNoLoss() {
  const auto status = cli().Status();
  ASSERT_OK(status);
  for (const v1::Loss& loss : status->losses()) {
    if (loss.reason() == "irq_unattributed") continue;  // the coverage of kvm_set_irq says it
    if (loss.reason() == "late_tick") continue;         // a busy machine's
    if (forced_losses_.contains(loss.reason())) continue;
    // The guests are all in the cgroup that the test is in.
    if (loss.reason() == "shared_group") continue;
    // What other processes of this host do is no loss of this test.
    if (loss.reason() == "early_file") continue;  // by guests that begin at once
    if (loss.reason() == "skipped_run" && KernelPreemptsPrograms()) continue;
    if (loss.reason() == "orphan_act" || loss.reason() == "skipped_anybodys_run") continue;
    EXPECT_EQ(loss.count(), 0U) << loss.reason();
  }
}

void E2eTest::StartDaemon(const std::vector<std::string>& specs,
                          const std::vector<std::string>& options) {
  for (const std::string& file : specs) ASSERT_OK(place_->AddSpecs(file));
  ASSERT_OK_AND_ASSIGN(daemon_, Daemon::Start(*place_, options));
}

void E2eTest::StopDaemon() {
  ExpectEnds(*daemon_);
  daemon_.reset();
}

void ExpectEnds(Daemon& daemon) {
  const auto ended = daemon.Stop();
  EXPECT_TRUE(ended.ok() && *ended == 0)
      << (ended.ok() ? absl::StrCat("exit status ", *ended) : ended.status().ToString()) << "\n"
      << daemon.Log();
}

// A killed daemon's loader has programs to detach before it ends.
void ExpectUnpins(const Place& place) {
  absl::Status unpinned;
  EXPECT_TRUE(WaitUntil([&] { return (unpinned = place.Unpin()).ok(); })) << unpinned;
}

Fd E2eTest::Pinned(const std::string& map) const {
  Fd fd(bpf_obj_get((place().pin_root() + "/" + map).c_str()));
  EXPECT_TRUE(fd) << map << ": " << std::strerror(errno);
  return fd;
}

std::string E2eTest::Name(absl::string_view role) { return absl::StrCat(role, "-e2e-", getpid()); }

absl::StatusOr<Guest> E2eTest::StartGuest(const std::string& name, absl::string_view options,
                                          const std::vector<std::string>& prefix) {
  KVMSENTRY_ASSIGN_OR_RETURN(Guest guest, Guest::Start(NamedForLong(name, options), prefix));
  if (daemon_) KVMSENTRY_RETURN_IF_ERROR(WaitForVm(name).status());
  return guest;
}

absl::StatusOr<Guest> E2eTest::StartVmm(const std::string& name, absl::string_view options,
                                        const std::vector<std::string>& prefix) {
  KVMSENTRY_ASSIGN_OR_RETURN(Guest vmm, Guest::StartVmm(NamedForLong(name, options), prefix));
  if (daemon_) KVMSENTRY_RETURN_IF_ERROR(WaitForVm(name).status());
  return vmm;
}

absl::StatusOr<v1::VmStatus> E2eTest::WaitForVm(const std::string& name,
                                                const Condition& condition) {
  absl::StatusOr<std::vector<v1::VmStatus>> vms = std::vector<v1::VmStatus>();
  const bool there = WaitUntil([&] {
    vms = cli().Vms(name);
    // Those that were given the same name have others on screen.
    if (vms.ok()) std::erase_if(*vms, [&](const auto& vm) { return vm.vm().name() != name; });
    return !vms.ok() || (vms->size() == 1 && condition(vms->front()));
  });
  if (!vms.ok()) return vms.status();
  if (there) return vms->front();
  return absl::DeadlineExceededError(
      absl::StrCat("VM ", name, ": ",
                   vms->empty() ? "is not listed" : "stays " + vms->front().ShortDebugString()));
}

void ExpectBeginsWith(const std::vector<v1::SubscribeResponse>& kept,
                      const std::vector<v1::Alert>& alerts) {
  ASSERT_GE(kept.size(), alerts.size());
  for (size_t i = 0; i < alerts.size(); ++i) {
    ASSERT_TRUE(google::protobuf::util::MessageDifferencer::Equals(kept[i].alert(), alerts[i]))
        << kept[i].ShortDebugString() << "\nis not\n"
        << alerts[i].ShortDebugString();
  }
}

std::optional<uint64_t> CountOf(const v1::VmStatus& vm, const std::string& feature) {
  const auto count = vm.counts().find(feature);
  if (count == vm.counts().end()) return std::nullopt;
  return count->second;
}

}  // namespace kvmsentry
