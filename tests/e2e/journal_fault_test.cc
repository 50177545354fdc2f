// A disk that fails: the stream goes on from memory, says so, and recovers by itself.
#include <filesystem>
#include <fstream>

#include <sys/mount.h>

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace fs = std::filesystem;

class JournalFaultTest : public FewHooksTest {
 protected:
  void TearDown() override {
    E2eTest::TearDown();
    if (!mounted_) return;
    EXPECT_EQ(umount2(place().state().c_str(), MNT_DETACH), 0);
  }

  // A small disk below the state folder.
  void Mount() {
    fs::create_directory(place().state());
    ASSERT_EQ(mount("tmpfs", place().state().c_str(), "tmpfs", 0, "size=16m"), 0);
    mounted_ = true;
  }
  void Remount(unsigned long flags) {
    ASSERT_EQ(mount("tmpfs", place().state().c_str(), "tmpfs", MS_REMOUNT | flags, "size=16m"), 0);
  }

  void StartWithState() {
    StartDaemon({"chatter.textproto"}, {"--state-dir", place().state()});
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(stream_, cli().Follow());
    ASSERT_OK_AND_ASSIGN(guest_, StartGuest(Name("chatter"), "--behaviour pio --rate 5 --vms 8"));
    ASSERT_OK(guest_->Begin());
  }

  // The alert of the sensor itself, and that others come after it.
  void ExpectAlertThenMore(v1::Alert::State state) {
    ASSERT_OK_AND_ASSIGN(const v1::Alert alert, stream_->WaitFor("", "self-journal", state));
    const size_t so_far = stream_->alerts().size();
    while (stream_->alerts().size() < so_far + 5) ASSERT_OK(stream_->Read());
    EXPECT_EQ(alert.state(), state);
  }
  std::string Problem() {
    const auto status = cli().Status();
    return status.ok() ? status->journal().problem() : status.status().ToString();
  }

  // What the client got by now is what a restarted daemon has.
  void ExpectAllKeptOverARestart() {
    ASSERT_OK(stream_->ReadUpTo(absl::Now()));
    const std::vector<v1::Alert> alerts = stream_->alerts();
    EXPECT_THAT(stream_->gaps(), IsEmpty());
    StopDaemon();
    ASSERT_OK_AND_ASSIGN(daemon_, Daemon::Start(place(), {"--state-dir", place().state()}));
    ASSERT_TRUE(WaitUntil([this] { return cli().Status().ok(); }));
    ASSERT_OK_AND_ASSIGN(const auto kept, cli().Alerts());
    ExpectBeginsWith(kept, alerts);
  }

  bool mounted_ = false;
  std::optional<AlertStream> stream_;
  std::optional<Guest> guest_;
};

TEST_F(JournalFaultTest, AFullDisk) {
  Mount();
  StartWithState();
  if (HasFatalFailure()) return;
  const std::string filler = place().state() + "/filler";
  {
    std::ofstream file(filler, std::ios::binary);
    const std::string block(4096, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  ExpectAlertThenMore(v1::Alert::OPEN);
  EXPECT_THAT(Problem(), HasSubstr("full"));
  ASSERT_OK_AND_ASSIGN(const Finished status, cli().Run({"status"}));
  EXPECT_EQ(status.exit_code, 1);
  fs::remove(filler);
  ExpectAlertThenMore(v1::Alert::CLEARED);
  EXPECT_THAT(Problem(), IsEmpty());
  ExpectAllKeptOverARestart();
}

TEST_F(JournalFaultTest, AReadOnlyDisk) {
  Mount();
  Remount(MS_RDONLY);
  StartWithState();
  if (HasFatalFailure()) return;
  ExpectAlertThenMore(v1::Alert::OPEN);
  Remount(0);
  ExpectAlertThenMore(v1::Alert::CLEARED);
  ExpectAllKeptOverARestart();
}

TEST_F(JournalFaultTest, AFileOfGarbage) {
  fs::create_directory(place().state());
  std::ofstream(place().state() + "/journal.db") << std::string(1 << 16, 'x');
  StartWithState();
  if (HasFatalFailure()) return;
  while (stream_->alerts().size() < 20) ASSERT_OK(stream_->Read());
  ASSERT_OK_AND_ASSIGN(const auto status, cli().Status());
  EXPECT_THAT(status.journal().recreated_reason(), HasSubstr(".unreadable"));
  EXPECT_THAT(daemon_->Log(), HasSubstr("the journal was unreadable"));
  ExpectAllKeptOverARestart();
}

TEST_F(JournalFaultTest, AFileThatTurnsToGarbageWhileItIsInUse) {
  StartWithState();
  if (HasFatalFailure()) return;
  while (stream_->alerts().size() < 20) ASSERT_OK(stream_->Read());
  // Written over, not replaced: the daemon has it open.
  std::ofstream(place().state() + "/journal.db", std::ios::in | std::ios::out)
      << std::string(4096, 'x');
  std::ofstream(place().state() + "/journal.db-wal", std::ios::in | std::ios::out)
      << std::string(1 << 16, 'x');
  const size_t so_far = stream_->alerts().size();
  while (stream_->alerts().size() < so_far + 50) ASSERT_OK(stream_->Read());
  // Found at the latest by the next start, which has to live without it.
  StopDaemon();
  ASSERT_OK_AND_ASSIGN(daemon_, Daemon::Start(place(), {"--state-dir", place().state()}));
  ASSERT_TRUE(WaitUntil([this] { return cli().Status().ok() && Problem().empty(); }));
  const size_t before = stream_->alerts().size();
  while (stream_->alerts().size() < before + 20) ASSERT_OK(stream_->Read());
}

TEST_F(JournalFaultTest, AnOpenAlertOutlivesWhatIsEvictedAndTheDaemon) {
  StartDaemon({"chatter.textproto", "storms.textproto"},
              {"--state-dir", place().state(), "--alerts-kept", "4", "--journal-mib", "1"});
  if (HasFatalFailure()) return;
  const std::string storm = Name("storm");
  ASSERT_OK_AND_ASSIGN(stream_, cli().Follow());
  ASSERT_OK_AND_ASSIGN(Guest stormy, StartGuest(storm, "--behaviour msr --rate 3000"));
  ASSERT_OK(stormy.Begin());
  ASSERT_OK(stream_->WaitFor(storm, "msr-storm", v1::Alert::OPEN));
  ASSERT_OK_AND_ASSIGN(guest_, StartGuest(Name("chatter"), "--behaviour pio --rate 5 --vms 8"));
  ASSERT_OK(guest_->Begin());
  const size_t so_far = stream_->alerts().size();
  while (stream_->alerts().size() < so_far + 20) ASSERT_OK(stream_->Read());
  const std::vector<std::string> open = {"--open", "--vm", storm, "--spec", "msr-storm"};
  EXPECT_THAT(*cli().Alerts(open), SizeIs(1));
  ASSERT_OK_AND_ASSIGN(const auto newest, cli().Alerts({"--last", "3", "--text", "CHATTER"}));
  ASSERT_THAT(newest, SizeIs(3));
  EXPECT_LT(newest[0].alert().position().sequence(), newest[2].alert().position().sequence());

  // Killed, it clears what was open; what goes on opens again.
  ASSERT_OK(daemon_->process().Signal(SIGKILL));
  ASSERT_OK(daemon_->process().Wait());
  ASSERT_OK_AND_ASSIGN(daemon_, Daemon::Start(place(), {"--state-dir", place().state()}));
  ASSERT_OK_AND_ASSIGN(const v1::Alert cleared,
                       stream_->WaitFor(storm, "msr-storm", v1::Alert::CLEARED));
  EXPECT_THAT(cleared.summary(), HasSubstr("restarted"));
  ASSERT_TRUE(WaitUntil([&] {
    const auto again = cli().Alerts(open);
    return again.ok() && again->size() == 1;
  }));
}

}  // namespace
}  // namespace kvmsentry
