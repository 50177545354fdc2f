// A daemon that cannot start says what is missing and what to do, in one line, and leaves nothing.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <sys/vfs.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::set<std::string> NamesIn(const std::string& dir) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir)) {
    names.insert(entry.path().filename());
  }
  return names;
}

// A memory cgroup of its own with a limit, of version 1 or 2, whichever this host has. Whoever was
// in it must have ended.
class SmallCgroup {
 public:
  explicit SmallCgroup(absl::string_view limit) {
    constexpr long kCgroup2Magic = 0x63677270;  // include/uapi/linux/magic.h
    struct statfs info {};
    statfs("/sys/fs/cgroup", &info);
    const bool second = info.f_type == kCgroup2Magic;
    const std::string root = second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    if (second) std::ofstream(root + "/cgroup.subtree_control") << "+memory";
    path_ = absl::StrCat(root, "/kvmsentry-e2e-", getpid());
    fs::create_directory(path_);
    std::ofstream file(path_ + (second ? "/memory.max" : "/memory.limit_in_bytes"));
    file << std::string(limit) << std::flush;
    EXPECT_TRUE(file) << path_ << ": cannot limit its memory; is the controller memory mounted?";
  }
  ~SmallCgroup() { EXPECT_EQ(rmdir(path_.c_str()), 0) << path_; }
  SmallCgroup(const SmallCgroup&) = delete;
  SmallCgroup& operator=(const SmallCgroup&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class RefusalTest : public E2eTest {
 protected:
  void SetUp() override {
    E2eTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK(place().AddSpecs("storms.textproto"));
  }

  // Runs a daemon to its end, which the shell commands PREPARE go before, in a mount namespace of
  // its own.
  absl::StatusOr<Finished> RunAfter(const std::string& prepare,
                                    const std::map<std::string, std::string>& options = {}) const {
    std::vector<std::string> command = {"unshare", "-m", "bash", "-c",
                                        prepare + R"( && exec "$0" "$@")"};
    for (std::string& word : DaemonCommand(place())) command.push_back(std::move(word));
    for (const auto& [option, value] : options) {  // each may be given once
      const auto given = std::find(command.begin(), command.end(), option);
      if (given != command.end()) command.erase(given, given + 2);
      command.insert(command.end(), {option, value});
    }
    return RunToEnd(command);
  }

  std::string Folder() const { return fs::path(place().socket()).parent_path(); }

  // One line, and what it leaves is what was there before.
  void ExpectRefused(const absl::StatusOr<Finished>& finished, const std::string& message) const {
    ASSERT_OK(finished);
    EXPECT_EQ(finished->exit_code, 1);
    EXPECT_THAT(finished->errors, MatchesRegex(absl::StrCat("kvmsentryd: ", message, "\n")));
    EXPECT_THAT(NamesIn(Folder()), ElementsAre("specs"));
    EXPECT_FALSE(fs::exists(place().pin_root()));
  }
};

TEST_F(RefusalTest, WithoutABpffs) {
  ExpectRefused(RunAfter("umount -l /sys/fs/bpf"),
                "/sys/fs/bpf: no bpffs there; mount -t bpf bpf /sys/fs/bpf");
}

TEST_F(RefusalTest, WithoutAFolderForThePins) {
  ExpectRefused(RunAfter("true", {{"--pin-root", "/sys/fs/bpf/kvmsentry-e2e-none/pins"}}),
                "/sys/fs/bpf/kvmsentry-e2e-none: no such folder; choose a --pin-root right below a "
                "bpffs, like /sys/fs/bpf/kvmsentry");
}

TEST_F(RefusalTest, OnAReadOnlyBpffs) {
  const std::string message =
      "/sys/fs/bpf: the bpffs is mounted read-only; mount -o remount,rw /sys/fs/bpf";
  ExpectRefused(RunAfter("mount -o remount,ro,bind /sys/fs/bpf"), message);
  ExpectRefused(RunAfter("mount -t bpf bpf /sys/fs/bpf && mount -o remount,ro /sys/fs/bpf"),
                message);
}

TEST_F(RefusalTest, OnAReadOnlyBpffsTheMapsOfAnEarlierRunStay) {
  StartDaemon({});
  if (HasFatalFailure()) return;
  StopDaemon();
  const std::set<std::string> pins = NamesIn(place().pin_root());
  ASSERT_OK_AND_ASSIGN(const Finished refused, RunAfter("mount -o remount,ro,bind /sys/fs/bpf"));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("mount -o remount,rw /sys/fs/bpf\n"));
  EXPECT_EQ(NamesIn(place().pin_root()), pins);
  StartDaemon({});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  EXPECT_FALSE(status.pins_recreated());
}

// libbpf also looks for a vmlinux in /boot and /lib/modules; a Debian kernel has none there.
TEST_F(RefusalTest, OnAKernelWithoutBtf) {
  ExpectRefused(RunAfter("mount -t tmpfs none /sys/kernel/btf"),
                "/sys/kernel/btf/vmlinux: this kernel has no BTF; boot one built with "
                "CONFIG_DEBUG_INFO_BTF");
}

// The second of two maps is refused: the first is removed again.
TEST_F(RefusalTest, WithoutMemoryForItsMaps) {
  const SmallCgroup cgroup("64M");
  const std::string enter = absl::StrCat("echo $$ >", cgroup.path(), "/cgroup.procs");
  ExpectRefused(RunAfter(enter, {{"--max-vcpus", "65536"}}),
                "map vcpus: the kernel refuses it its [0-9]+ KiB \\(65536 entries\\): Cannot "
                "allocate memory; choose a smaller --max-vcpus, or raise the memory limit of "
                "kvmsentryd's cgroup");
  ExpectRefused(RunAfter(enter, {{"--max-vms", "16384"}}),
                "map kvm_[a-z]+: the kernel refuses it its [0-9]+ KiB \\(16384 entries\\): Cannot "
                "allocate memory; choose a smaller --max-vms, or raise the memory limit of "
                "kvmsentryd's cgroup");
}

// Who finds another on its socket has not touched a map.
TEST_F(RefusalTest, WithoutTheSocket) {
  ASSERT_OK_AND_ASSIGN(const Place first, Place::Make());
  ASSERT_OK(first.AddSpecs("storms.textproto"));
  absl::StatusOr<Daemon> daemon = Daemon::Start(first);
  ASSERT_OK(daemon);
  ExpectRefused(
      RunAfter("true", {{"--socket", first.socket()}}),
      absl::StrCat("another kvmsentryd is listening on ", first.socket(), "; stop it first"));
  ASSERT_OK_AND_ASSIGN(const int ended, daemon->Stop());
  EXPECT_EQ(ended, 0);
  ASSERT_OK(first.Unpin());
}

TEST_F(RefusalTest, TheMapsOfAnotherAreLeftToIt) {
  ASSERT_OK_AND_ASSIGN(const Place first, Place::Make());
  ASSERT_OK(first.AddSpecs("storms.textproto"));
  absl::StatusOr<Daemon> daemon = Daemon::Start(first);
  ASSERT_OK(daemon);
  const std::set<std::string> pins = NamesIn(first.pin_root());
  ExpectRefused(
      RunAfter("true", {{"--pin-root", first.pin_root()}}),
      absl::StrCat(first.pin_root(), ": another kvmsentryd holds these maps; stop it first"));
  EXPECT_EQ(NamesIn(first.pin_root()), pins);
  ASSERT_OK_AND_ASSIGN(const int ended, daemon->Stop());
  EXPECT_EQ(ended, 0);
  ASSERT_OK(first.Unpin());
}

TEST_F(RefusalTest, PinsThatAreNotKvmsentrysAreLeft) {
  ASSERT_TRUE(fs::create_directory(place().pin_root()));
  const std::string other = place().pin_root() + "/other";
  ASSERT_OK_AND_ASSIGN(const Finished pinned,
                       RunToEnd({"/usr/sbin/bpftool", "map", "create", other, "type", "array",
                                 "key", "4", "value", "4", "entries", "1", "name", "other"}));
  ASSERT_EQ(pinned.exit_code, 0) << pinned.errors;
  const auto refused = RunAfter("true");
  EXPECT_EQ(NamesIn(place().pin_root()), std::set<std::string>{"other"});
  fs::remove(other);
  fs::remove(place().pin_root());
  ExpectRefused(refused, place().pin_root() +
                             ": holds pins that are not kvmsentry's; choose another --pin-root");
}

}  // namespace
}  // namespace kvmsentry
