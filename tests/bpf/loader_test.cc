// Programs that another process has loaded count as those of this one do.
#include <csignal>
#include <fstream>

#include <sys/wait.h>

#include "sensor/confine/confine.h"
#include "sensor/loader/remote_loader.h"
#include "tests/bpf/fixture.h"
#include "tests/support/children.h"

namespace kvmsentry {
namespace {

class RemoteLoaderTest : public BpfTest {
 protected:
  // As Load(), by a loader in a process of its own.
  void LoadRemotely() {
    for (const Hook& hook : Hooks()) {
      if (!IsLoaded(hook)) options_.variants.try_emplace(std::string(hook.name));
    }
    auto loader = RemoteLoader::Start(options_, BpfSources(), ConfineLoader);
    ASSERT_OK(loader);
    auto sources = Sources::Open(options_, *std::move(loader));
    ASSERT_OK(sources);
    sources_ = *std::move(sources);
    probe().KeepPins();
  }

  static pid_t LoaderPid() {
    const std::vector<pid_t> children = ChildrenOf(getpid());
    EXPECT_EQ(children.size(), 1U);
    return children.empty() ? -1 : children[0];
  }

  const HookCoverage& CoverageOf(absl::string_view hook) const {
    return *std::ranges::find(probe().coverage(), hook,
                              [](const HookCoverage& coverage) { return coverage.hook->name; });
  }
};

TEST_F(RemoteLoaderTest, AttachesTheSameAsOneInThisProcess) {
  Load();
  std::map<std::string, std::string> here;
  for (const HookCoverage& hook : probe().coverage()) {
    here[std::string(hook.hook->name)] = absl::StrCat(hook.variant, " ", hook.reason);
  }
  sources_.reset();
  LoadRemotely();
  for (const HookCoverage& hook : probe().coverage()) {
    EXPECT_EQ(absl::StrCat(hook.variant, " ", hook.reason), here[std::string(hook.hook->name)])
        << hook.hook->name;
  }
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour pio --count 1000 --then exit"));
  EXPECT_EQ(CountsOf(guest.pid).count[KS_METER_PIO], 1000U);
  ASSERT_OK(probe().AuditPins());
  ASSERT_OK(probe().AuditLinks());
  ASSERT_OK(probe().AuditLoader());
  EXPECT_GT(probe().NoteFired(), 0U);
  ASSERT_OK(probe().WalkOpenFiles());
  ExpectNoLosses();
}

TEST_F(RemoteLoaderTest, ShedsAndRestores) {
  LoadRemotely();
  const Hook& pio = *CoverageOf("kvm_pio").hook;
  ASSERT_OK(probe().Shed(pio, "too dear"));
  ASSERT_OK_AND_ASSIGN(FinishedGuest guest, RunGuest("--behaviour pio --count 10 --then exit"));
  EXPECT_EQ(CountsOf(guest.pid).count[KS_METER_PIO], 0U);  // nobody keeps it attached
  ASSERT_OK(probe().Restore(pio));
  ASSERT_OK_AND_ASSIGN(guest, RunGuest("--behaviour pio --count 10 --then exit"));
  EXPECT_EQ(CountsOf(guest.pid).count[KS_METER_PIO], 10U);
  ASSERT_OK(probe().AuditLinks());
}

TEST_F(RemoteLoaderTest, WhatItAttachedOutlivesIt) {
  LoadRemotely();
  kill(LoaderPid(), SIGKILL);
  ASSERT_TRUE(WaitUntil([&] { return absl::IsUnavailable(probe().AuditLoader()); }));
  ASSERT_OK(probe().AuditLinks());
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour pio --count 100 --then exit"));
  EXPECT_EQ(CountsOf(guest.pid).count[KS_METER_PIO], 100U);
  EXPECT_FALSE(probe().CountRunTimes().ok());
}

// Else another daemon would be refused.
TEST_F(RemoteLoaderTest, EndsWithWhoStartedIt) {
  LoadRemotely();
  const pid_t loader = LoaderPid();
  sources_.reset();
  EXPECT_EQ(waitpid(loader, nullptr, WNOHANG), -1);  // it was waited for
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour pio --count 10 --then exit"));
  EXPECT_EQ(CountsOf(guest.pid).count[KS_METER_PIO], 10U);  // not twice
}

TEST_F(RemoteLoaderTest, WhatItLacksItSays) {
  options_.pin_root = "/tmp/kvmsentry-no-bpffs";
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<RemoteLoader> loader,
                       RemoteLoader::Start(options_, BpfSources(), ConfineLoader));
  const absl::Status refused = loader->Prepare().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  const auto unconfined = [] { return absl::PermissionDeniedError("no"); };
  EXPECT_TRUE(
      absl::IsPermissionDenied(RemoteLoader::Start(options_, BpfSources(), unconfined).status()));
  options_.pin_root.clear();  // nothing to tear down
}

}  // namespace
}  // namespace kvmsentry
