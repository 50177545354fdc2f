// What the end-to-end tests share: the real daemon, guests and client, each a process of its own.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/base/fd.h"
#include "tests/e2e/cli.h"
#include "tests/e2e/daemon.h"
#include "tests/e2e/place.h"
#include "tests/support/assert_ok.h"
#include "tests/support/guest.h"
#include "tests/support/wait.h"

namespace kvmsentry {

// Other VMs may run on this host, and the daemon watches them too: a test asks for its own, by
// names that no other VM has.
class E2eTest : public ::testing::Test {
 protected:
  void SetUp() override;
  // Nothing was lost by a daemon that still runs, but what forced_losses_ names; nothing stays
  // behind.
  void TearDown() override;

  // Into daemon_, with these files of tests/e2e/specs as its library.
  void StartDaemon(const std::vector<std::string>& specs,
                   const std::vector<std::string>& options = {});
  // Ends it; it must end with success.
  void StopDaemon();
  // By the daemon, but for what forced_losses_ names and other processes of the host may cause.
  void ExpectNoLoss();
  const Place& place() const { return *place_; }
  // The daemon's MAP: "ring", or "kvm/vms".
  Fd Pinned(const std::string& map) const;
  Cli cli() const { return Cli(place_->socket()); }

  // "ROLE-e2e-PID".
  static std::string Name(absl::string_view role);

  // A guest whose VM has this name. It is set up but runs nothing until Begin; if there is a
  // daemon, that watches it, its limits are in force.
  absl::StatusOr<Guest> StartGuest(const std::string& name, absl::string_view options,
                                   const std::vector<std::string>& prefix = {});
  // The same of a VMM of tests/vmm.
  absl::StatusOr<Guest> StartVmm(const std::string& name, absl::string_view options,
                                 const std::vector<std::string>& prefix = {});

  // The VM by this name, once the daemon lists it and CONDITION holds.
  using Condition = std::function<bool(const v1::VmStatus&)>;
  absl::StatusOr<v1::VmStatus> WaitForVm(
      const std::string& name,
      const Condition& condition = [](const v1::VmStatus&) { return true; });

  std::set<std::string> forced_losses_;  // their reasons
  std::optional<Place> place_;
  std::optional<Daemon> daemon_;
};

// For what does not depend on which hooks there are.
class FewHooksTest : public E2eTest {
 protected:
  void SetUp() override;
};

// DAEMON ends with success when it is asked to.
void ExpectEnds(Daemon& daemon);
// The pins of PLACE can be removed, now or soon.
void ExpectUnpins(const Place& place);

// KEPT are alerts, and the first of them are ALERTS.
void ExpectBeginsWith(const std::vector<v1::SubscribeResponse>& kept,
                      const std::vector<v1::Alert>& alerts);

// What a VM has counted; nullopt where the feature is missing.
std::optional<uint64_t> CountOf(const v1::VmStatus& vm, const std::string& feature);

// The VM has counted at least this much.
inline auto Counted(std::string feature, uint64_t least) {
  return [feature = std::move(feature), least](const v1::VmStatus& vm) {
    return CountOf(vm, feature).value_or(0) >= least;
  };
}

}  // namespace kvmsentry
