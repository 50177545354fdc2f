// The program kvmsentry itself, against a server in this process.
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/alert/hub.h"
#include "sensor/alert/memory_journal.h"
#include "sensor/base/fd.h"
#include "sensor/base/pulse.h"
#include "sensor/rpc/server.h"
#include "tests/support/temp_dir.h"

extern char** environ;

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int kPipeBytes = 4096;

class FixedView final : public SensorView {
 public:
  SensorStatus Status() const override { return {}; }
  std::vector<VmView> Vms(bool) const override { return vms; }
  std::vector<SpecView> Specs() const override { return specs; }
  std::optional<MembersView> Members(VmId) const override { return members; }

  std::vector<VmView> vms;
  std::vector<SpecView> specs;
  std::optional<MembersView> members;
};

class Child {
 public:
  explicit Child(std::vector<std::string> arguments) {
    int out[2], err[2];
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(err, O_CLOEXEC), 0);
    EXPECT_EQ(fcntl(out[0], F_SETPIPE_SZ, kPipeBytes), kPipeBytes);
    out_ = Fd(out[0]);
    err_ = Fd(err[0]);
    const Fd out_end(out[1]), err_end(err[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out_end.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err_end.get(), STDERR_FILENO);
    arguments.insert(arguments.begin(), KVMSENTRY_CLIENT);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, KVMSENTRY_CLIENT, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::string OutLine() { return Line(out_); }
  std::string ErrLine() { return Line(err_); }
  void WaitUntilItsPipeIsFull() {
    int held = 0;
    while (held < kPipeBytes) {
      ASSERT_EQ(ioctl(out_.get(), FIONREAD, &held), 0);
      std::this_thread::yield();
    }
  }
  void CloseOut() { out_.reset(); }
  void Signal(int signal) { kill(pid_, signal); }

  // The exit code; 128 + the signal that ended it.
  int Wait() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  static std::string Line(const Fd& fd) {
    std::string line;
    char c = 0;
    while (read(fd.get(), &c, 1) == 1 && c != '\n') line.push_back(c);
    return line;
  }

  pid_t pid_ = -1;
  Fd out_, err_;
};

class BinaryTest : public ::testing::Test {
 protected:
  void Start(uint64_t epoch = 9) {
    hub_ = std::make_unique<Hub>(std::make_unique<MemoryJournal>(epoch));
    auto place = SocketPlace::Prepare(socket_);
    ASSERT_TRUE(place.ok()) << place.status();
    auto server = Server::Start(*std::move(place), {}, *hub_, view_, pulse_, SystemClock());
    ASSERT_TRUE(server.ok()) << server.status();
    pulse_.Tick(SystemClock());
    server_ = *std::move(server);
  }

  void Publish(const std::string& summary) {
    JournaledAlert alert;
    alert.event.summary = summary;
    ASSERT_TRUE(hub_->Publish(std::move(alert)).ok());
  }

  Pulse pulse_;
  const TempDir dir_ = TempDir::Make().value();
  const std::string socket_ = dir_ / "s.sock";
  FixedView view_;
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<Server> server_;
};

TEST_F(BinaryTest, SaysThatNobodyListensAndWhatToDo) {
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"alerts"},
                                             {"alerts", "--follow"},
                                             {"vms"},
                                             {"status"},
                                             {"health"},
                                             {"spec", "list"},
                                             {"spec", "explain", "a"},
                                             {"members", "a"},
                                             {"silence", "list"},
                                             {"silence", "end", "1"}}) {
    std::vector<std::string> arguments = {"--socket", socket_};
    arguments.insert(arguments.end(), command.begin(), command.end());
    Child child(arguments);
    const bool explains = command[0] == "spec" && command[1] == "explain";
    EXPECT_EQ(
        child.ErrLine(),
        absl::StrCat("kvmsentry: cannot reach kvmsentryd at ", socket_,
                     ": No such file or directory; is it running? \"systemctl status "
                     "kvmsentry\" says; --socket names another place",
                     explains ? "; --specs DIR explains the specs of a folder without it" : ""));
    EXPECT_EQ(child.Wait(), command[0] == "status" || command[0] == "health" ? 3 : 1);
  }
}

TEST_F(BinaryTest, HealthSaysWhetherTheSensorWorks) {
  Start();
  for (const bool serves : {true, false}) {
    server_->SetServing(serves);
    Child child({"--socket", socket_, "health"});
    EXPECT_EQ(child.OutLine(), serves ? "SERVING" : "NOT_SERVING");
    EXPECT_EQ(child.Wait(), serves ? 0 : 2);
  }
}

TEST_F(BinaryTest, AStatusThatCannotBeWrittenIsUnknown) {
  Start();
  const std::string command =
      absl::StrCat(KVMSENTRY_CLIENT, " --socket ", socket_, " status >/dev/full 2>/dev/null");
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 3);
}

TEST_F(BinaryTest, ShowsWhatIsKeptAndEnds) {
  Start();
  Publish("first");
  Publish("second");
  Child child({"--socket", socket_, "alerts"});
  EXPECT_THAT(child.OutLine(), HasSubstr("first"));
  EXPECT_THAT(child.OutLine(), HasSubstr("second"));
  EXPECT_EQ(child.OutLine(), "");
  EXPECT_EQ(child.Wait(), 0);
}

TEST_F(BinaryTest, FollowsThroughAPipeAtOnceAndEndsWellWithASignal) {
  Start();
  for (const int signal : {SIGINT, SIGTERM}) {
    Child child({"--socket", socket_, "alerts", "--follow", "--json", "--only-new"});
    EXPECT_THAT(child.OutLine(), StartsWith(R"({"heartbeat":{"last":{)"));
    Publish("new");
    EXPECT_THAT(child.OutLine(), HasSubstr(R"("summary":"new")"));
    child.Signal(signal);
    EXPECT_EQ(child.Wait(), 0);
  }
}

TEST_F(BinaryTest, EndsQuietlyWhenItsReaderHasGone) {
  Start();
  Publish("only");
  Child child({"--socket", socket_, "alerts", "--follow"});
  EXPECT_THAT(child.OutLine(), HasSubstr("only"));
  child.CloseOut();  // and no alert comes that it could fail to write
  EXPECT_EQ(child.ErrLine(), "");
  EXPECT_EQ(child.Wait(), 0);
}

TEST_F(BinaryTest, EndsOnASignalEvenWhileItsReaderDoesNotRead) {
  Start();
  Child child({"--socket", socket_, "alerts", "--follow", "--json"});
  child.OutLine();
  Publish(std::string(2 * kPipeBytes, 'x'));
  child.WaitUntilItsPipeIsFull();
  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait(), 0);
}

TEST_F(BinaryTest, GoesOnAfterTheDaemonWasStartedAgain) {
  Start(/*epoch=*/9);
  Publish("before");
  Child child({"--socket", socket_, "alerts", "--follow"});
  EXPECT_THAT(child.OutLine(), HasSubstr("before"));
  server_.reset();
  EXPECT_THAT(child.ErrLine(), HasSubstr("lost the stream: kvmsentryd at " + socket_ +
                                         ": sensor is stopping; trying again"));
  Start(/*epoch=*/10);
  Publish("after");
  EXPECT_EQ(child.ErrLine(), "kvmsentry: reached kvmsentryd again; continuing");
  EXPECT_THAT(child.OutLine(), StartsWith("-- gap: the stream has started again since 9:1"));
  EXPECT_THAT(child.OutLine(), HasSubstr("after"));
  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait(), 0);
}

TEST_F(BinaryTest, SaysWhatTheServerRefuses) {
  Start();
  Child child({"--socket", socket_, "alerts", "--text", std::string(257, 'x')});
  EXPECT_THAT(child.ErrLine(), HasSubstr("257 bytes, at most 256"));
  EXPECT_EQ(child.Wait(), 1);
}

TEST_F(BinaryTest, ExplainsASpecAndNamesTheNearestOfAnUnknownOne) {
  for (const char* id : {"msr-storm", "pio-storm"}) {
    view_.specs.emplace_back().id = id;
  }
  Start();
  Child known({"--socket", socket_, "spec", "explain", "pio-storm"});
  EXPECT_EQ(known.OutLine(), "pio-storm");
  EXPECT_EQ(known.Wait(), 0);
  Child unknown({"--socket", socket_, "spec", "explain", "pio-strom"});
  EXPECT_THAT(unknown.ErrLine(), HasSubstr("did you mean \"pio-storm\"?"));
  EXPECT_EQ(unknown.Wait(), 1);
}

TEST_F(BinaryTest, ATypoInAVmIsAnsweredWithTheNearest) {
  view_.vms.emplace_back().vm.name = "web-1";
  view_.vms.emplace_back().vm.name = "db";
  Start();
  Child one({"--socket", socket_, "vms", "wbe-1"});
  EXPECT_THAT(one.ErrLine(), HasSubstr("no VM \"wbe-1\"; did you mean \"web-1\"?"));
  EXPECT_EQ(one.Wait(), 1);
  Child some({"--socket", socket_, "alerts", "--vm", "wbe-1"});
  EXPECT_EQ(some.OutLine(), "no alerts match");
  EXPECT_THAT(some.ErrLine(), HasSubstr("did you mean \"web-1\"?"));
  EXPECT_EQ(some.Wait(), 0);
}

TEST_F(BinaryTest, SaysWhereThereIsNoOpenAlertAndNotToPrograms) {
  Start();
  Child people({"--socket", socket_, "alerts", "--open"});
  EXPECT_EQ(people.OutLine(), "no open alerts");
  Child program({"--socket", socket_, "alerts", "--open", "--json"});
  EXPECT_EQ(program.OutLine(), "");
  EXPECT_EQ(program.ErrLine(), "kvmsentry: no open alerts");
}

TEST_F(BinaryTest, ASilenceIsAddedListedAndEnded) {
  view_.specs.emplace_back().id = "pio-storm";
  Start();
  Child wrong({"--socket", socket_, "silence", "add", "--spec", "pio-strom", "--for", "1h",
               "--comment", "c"});
  EXPECT_THAT(wrong.ErrLine(), HasSubstr("did you mean \"pio-storm\"?"));
  EXPECT_EQ(wrong.Wait(), 1);
  Child add({"--socket", socket_, "silence", "add", "--spec", "pio-storm", "--for", "1h",
             "--comment", "a\x1b[2J disk", "--author", "alice"});
  const std::string added = add.OutLine();
  EXPECT_THAT(added, StartsWith("silence 1: spec pio-storm, until "));
  EXPECT_THAT(added, ::testing::EndsWith(": a\\x1b[2J disk"));
  EXPECT_EQ(add.ErrLine(), "kvmsentry: it ends with the daemon, which has no --state-dir");
  EXPECT_EQ(add.Wait(), 0);
  Child list({"--socket", socket_, "silence", "list"});
  EXPECT_THAT(list.OutLine(), StartsWith("ID  ENDS IN  ALERTS"));
  EXPECT_THAT(list.OutLine(), HasSubstr("59m  spec pio-storm  alice  a\\x1b[2J disk"));
  Child end({"--socket", socket_, "silence", "end", "1"});
  EXPECT_EQ(end.OutLine(), "silence 1 ended: spec pio-storm");
  Child again({"--socket", socket_, "silence", "end", "1"});
  EXPECT_THAT(again.ErrLine(), HasSubstr("no active silence has the id 1"));
  EXPECT_EQ(again.Wait(), 1);
}

TEST_F(BinaryTest, LintsWithoutADaemon) {
  std::filesystem::create_directory(dir_ / "specs");
  std::ofstream(dir_ / "specs/a.textproto") << R"(
      spec { id: "a" point: K2 feature: "pio.rate" norm { max: 1 } weight: 1 severity: INFO
             why: "w" look_at: "l" })";
  Child good({"spec", "lint", dir_ / "specs"});
  EXPECT_EQ(good.OutLine(), "1 spec in 1 file: no problems");
  EXPECT_EQ(good.Wait(), 0);

  std::ofstream(dir_ / "specs/b.textproto") << "spec { id: \"b\"\n  bogus: 1 }";
  Child bad({"spec", "lint", dir_ / "specs"});
  std::string lines;
  for (std::string line = bad.OutLine(); !line.empty(); line = bad.OutLine()) lines += line + "\n";
  EXPECT_THAT(lines, HasSubstr(dir_ / "specs/b.textproto:2:3: error: "));
  EXPECT_THAT(bad.ErrLine(), HasSubstr(" in "));
  EXPECT_EQ(bad.Wait(), 1);

  Child none({"spec", "lint", dir_ / "nonexistent"});
  EXPECT_THAT(none.ErrLine(), StartsWith("kvmsentry: "));
  EXPECT_EQ(none.Wait(), 1);
  Child no_folder({"spec", "lint", "--specs", dir_ / "nonexistent"});
  EXPECT_THAT(no_folder.ErrLine(), HasSubstr("; --specs DIR names another"));
  EXPECT_EQ(no_folder.Wait(), 1);
}

TEST_F(BinaryTest, TheLayersAreLintedComparedAndExplainedWithoutADaemon) {
  std::filesystem::create_directory(dir_ / "shipped");
  std::filesystem::create_directory(dir_ / "site");
  std::ofstream(dir_ / "shipped/a.textproto") << R"(
      spec { id: "a" point: K2 feature: "pio.rate" norm { max: 1 } weight: 1 severity: INFO
             why: "w" look_at: "l" })";
  const auto layers = [this](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--specs", dir_ / "shipped", "--site-specs", dir_ / "site"});
    return arguments;
  };
  Child same(layers({"spec", "diff"}));
  EXPECT_EQ(same.OutLine(), "the site changes nothing");
  EXPECT_EQ(same.Wait(), 0);

  std::ofstream(dir_ / "site/s.textproto") << "override { spec: \"a\" severity: CRITICAL }";
  Child good(layers({"spec", "lint"}));
  EXPECT_EQ(good.OutLine(), "1 spec in 2 files: no problems");
  EXPECT_EQ(good.Wait(), 0);
  Child diff(layers({"spec", "diff"}));
  EXPECT_EQ(diff.OutLine(), "changed   a");
  EXPECT_EQ(diff.OutLine(), "    severity  INFO -> CRITICAL  " + dir_ / "site/s.textproto:1:22");
  EXPECT_EQ(diff.Wait(), 0);
  Child explained(layers({"spec", "explain", "a"}));
  std::string lines;
  for (std::string line = explained.OutLine(); !line.empty(); line = explained.OutLine()) {
    lines += line + "\n";
  }
  EXPECT_THAT(lines, HasSubstr("from:      shipped, " + dir_ / "shipped/a.textproto:2:7"));
  EXPECT_THAT(lines, HasSubstr("changed:   severity INFO -> CRITICAL,\n               " +
                               dir_ / "site/s.textproto:1:22"));
  EXPECT_EQ(explained.Wait(), 0);

  // An override alone is nothing.
  Child alone({"spec", "lint", dir_ / "site"});
  EXPECT_THAT(alone.OutLine(), HasSubstr("override belongs in the site's folder"));
  EXPECT_EQ(alone.Wait(), 1);
  Child file(
      {"spec", "lint", "--specs", dir_ / "shipped", "--site-specs", dir_ / "site/s.textproto"});
  EXPECT_EQ(file.OutLine(), "1 spec in 2 files: no problems");
  EXPECT_EQ(file.Wait(), 0);
}

}  // namespace
}  // namespace kvmsentry
