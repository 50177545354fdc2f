// What a real VMM was given, as the client shows it.
#include <sys/stat.h>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "tests/e2e/qemu_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class GivenTest : public QemuTest {
 protected:
  // "VALUE from ORIGIN" of a fact, "unknown", or "no such part" or fact.
  static std::string Fact(const v1::VmStatus& vm, const std::string& kind, const std::string& id,
                          const std::string& name) {
    for (const v1::GivenPart& part : vm.given().parts()) {
      if (part.kind() != kind || part.id() != id) continue;
      for (const v1::GivenFact& fact : part.facts()) {
        if (fact.name() == name) return TextOf(fact);
      }
      return "no such fact";
    }
    return "no such part";
  }

  absl::StatusOr<v1::VmStatus> WaitForGiven(
      const std::string& vm, const std::function<bool(const v1::VmStatus&)>& condition =
                                 [](const auto&) { return true; }) {
    absl::StatusOr<v1::VmStatus> status = absl::UnknownError("not asked");
    const bool there = WaitUntil([&] {
      status = cli().Given(vm);
      return status.ok() && status->has_given() && condition(*status);
    });
    if (there || !status.ok()) return status;
    return absl::DeadlineExceededError(status->ShortDebugString());
  }

 private:
  static std::string TextOf(const v1::GivenFact& fact) {
    std::string value = "unknown";
    if (fact.has_text()) value = fact.text();
    if (fact.has_number()) value = absl::StrCat(fact.number());
    if (fact.has_flag()) value = fact.flag() ? "yes" : "no";
    if (fact.has_list()) {
      value = absl::StrCat("[", absl::StrJoin(fact.list().texts(), ","), "]");
    }
    if (value == "unknown") return value;
    return absl::StrCat(value, " from ", v1::GivenFact::Origin_Name(fact.origin()));
  }
};

TEST_F(GivenTest, AllThatQemuWasToldAndHas) {
  const std::string vm = Name("given");
  const std::string disk = MakeImage("disk,1.img");
  const std::string cd = MakeImage("cd.iso");
  const std::string tap = absl::StrCat("ksg", getpid());
  const std::string monitor = File("mon.sock");
  ASSERT_OK_AND_ASSIGN(
      Process qemu,
      StartQemu(
          vm, {"-m",
               "size=48M,slots=2,maxmem=256M",
               "-smp",
               "2,maxcpus=4",
               "-drive",
               absl::StrCat("file=", absl::StrReplaceAll(disk, {{",", ",,"}}),
                            ",format=raw,if=none,id=d0,cache=writethrough"),
               "-device",
               "virtio-blk-pci,drive=d0,id=vda",
               "-blockdev",
               absl::StrCat(R"({"driver":"raw","node-name":"cd0","read-only":true,"file":)",
                            R"({"driver":"file","filename":")", cd, R"("}})"),
               "-device",
               "ide-cd,drive=cd0,id=cdrom",
               "-netdev",
               "user,id=u,restrict=on",
               "-device",
               "virtio-net-pci,netdev=u,id=net0,mac=52:54:00:00:00:07",
               "-netdev",
               absl::StrCat("tap,id=t,script=no,downscript=no,ifname=", tap),
               "-device",
               "e1000,netdev=t,id=net1",
               "-chardev",
               absl::StrCat("socket,id=m,server=on,wait=off,path=", monitor),
               "-mon",
               "chardev=m,mode=readline",
               "-virtfs",
               absl::StrCat("local,path=", folder_->path(), ",mount_tag=share,security_model=none"),
               "-sandbox",
               "on",
               "-object",
               "secret,id=s0,data=hunter2",
               "-fw_cfg",
               "name=opt/test,string=hunter2"}));
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus status, WaitForGiven(vm, [](const v1::VmStatus& now) {
                         return Fact(now, "memory", "", "mapped") !=
                                "unknown";  // comes with the first passes
                       }));

  EXPECT_EQ(Fact(status, "vm", "", "machine"), "q35 from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "memory", "", "size"), "50331648 from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "memory", "", "max"), "268435456 from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "memory", "", "slots"), "2 from COMMAND_LINE");
  EXPECT_THAT(Fact(status, "memory", "", "mapped"), HasSubstr(" from MEMORY_SLOTS"));
  EXPECT_EQ(Fact(status, "cpus", "", "start"), "2 from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "cpus", "", "max"), "4 from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "cpus", "", "created"), "2 from VCPUS");

  struct stat stat {};
  ASSERT_EQ(::stat(disk.c_str(), &stat), 0);
  EXPECT_EQ(Fact(status, "disk", "vda", "path"), disk + " from COMMAND_LINE");
  EXPECT_THAT(Fact(status, "disk", "vda", "file"),
              HasSubstr(absl::StrCat("inode ", stat.st_ino, " from OPEN_FILE")));
  EXPECT_EQ(Fact(status, "disk", "vda", "size"), "1048576 from OPEN_FILE");
  EXPECT_EQ(Fact(status, "disk", "vda", "format"), "raw from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "disk", "vda", "cache"), "writethrough from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "disk", "vda", "backing"), "[] from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "disk", "vda", "read-only"), "no from DEFAULT");
  EXPECT_EQ(Fact(status, "disk", "cdrom", "path"), cd + " from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "disk", "cdrom", "read-only"), "yes from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "disk", "cdrom", "size"), "1048576 from OPEN_FILE");

  EXPECT_EQ(Fact(status, "interface", "net0", "kind"), "user from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "interface", "net0", "mac"), "52:54:00:00:00:07 from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "interface", "net1", "device"), tap + " from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "interface", "net1", "model"), "e1000 from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "interface", "net1", "mac"), "unknown");
  EXPECT_EQ(Fact(status, "folder", "share", "path"), folder_->path() + " from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "folder", "share", "security"), "none from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "migration", "", "incoming"), "none from DEFAULT");
  EXPECT_EQ(Fact(status, "privileges", "", "sandbox"), "on from COMMAND_LINE");
  EXPECT_EQ(Fact(status, "privileges", "", "filtered"), "yes from PROCESS");
  EXPECT_EQ(Fact(status, "privileges", "", "uid"), "0 from PROCESS");
  EXPECT_EQ(status.given().gaps_size(), 0) << status.given().gaps(0);

  ASSERT_OK_AND_ASSIGN(const Finished page, cli().Run({"vms", vm, "--wide"}));
  EXPECT_THAT(page.lines[0], StartsWith(vm));
  EXPECT_THAT(page.lines, Contains(HasSubstr(absl::StrCat("unix:", monitor))));
  EXPECT_THAT(page.lines, Contains(HasSubstr(disk)));
  EXPECT_THAT(absl::StrJoin(page.lines, "\n"), ::testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(status.DebugString(), ::testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(daemon_->Log(), ::testing::Not(HasSubstr("hunter2")));
}

TEST_F(GivenTest, ADiskThatIsPluggedLaterIsAChange) {
  const std::string vm = Name("plug");
  ASSERT_OK_AND_ASSIGN(Process qemu, StartQemu(vm, {"-device", "pcie-root-port,id=port0"}));
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus before, WaitForGiven(vm));
  EXPECT_FALSE(before.given().has_changed_at());
  const std::string disk = MakeImage("late.img");
  ASSERT_OK(Ask(qemu, absl::StrCat(R"({"execute":"blockdev-add","arguments":{"driver":"file",)",
                                   R"("node-name":"late","filename":")", disk, R"("}})")));
  ASSERT_OK(Ask(qemu, R"({"execute":"device_add","arguments":{"driver":"virtio-blk-pci",)"
                      R"("drive":"late","id":"vdb","bus":"port0"}})"));
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus plugged, WaitForGiven(vm, [](const v1::VmStatus& now) {
                         return now.given().has_changed_at();
                       }));
  EXPECT_EQ(Fact(plugged, "disk", "late.img", "path"), disk + " from OPEN_FILE");
  EXPECT_EQ(Fact(plugged, "disk", "late.img", "read-only"), "no from OPEN_FILE");
  EXPECT_EQ(Fact(plugged, "disk", "late.img", "format"), "unknown");
  EXPECT_THAT(plugged.given().changes(), Contains("disk late.img was added"));
  EXPECT_THAT(daemon_->Log(),
              HasSubstr(absl::StrCat("VM ", vm, ": what it was given changed: disk late.img")));
}

}  // namespace
}  // namespace kvmsentry
