// What an operator sees of very many VMs, of VMs that come and go, of one VM too many, and of names
// that were chosen to mislead.
#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"

#include "tests/e2e/fixture.h"
#include "tests/support/host.h"
#include "tests/support/small_vm.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class ChurnTest : public FewHooksTest {
 protected:
  // Losses by reason that are not 0.
  std::map<std::string, uint64_t> Losses() {
    std::map<std::string, uint64_t> losses;
    const auto status = cli().Status();
    EXPECT_TRUE(IsOk(status)) << StatusText(status);
    if (!status.ok()) return losses;
    for (const v1::Loss& loss : status->losses()) {
      if (loss.count() != 0) losses[loss.reason()] = loss.count();
    }
    return losses;
  }

  // Births come in floods here, and those over budget are found at the next tick.
  void ExpectNothingLostButBirthsOverBudget() {
    std::map<std::string, uint64_t> losses = Losses();
    losses.erase("over_budget");
    losses.erase("late_tick");  // a busy machine's
    if (KernelPreemptsPrograms()) losses.erase("skipped_run");
    losses.erase("orphan_act");  // of the clients that this process starts, after VMs of its own
    EXPECT_TRUE(losses.empty()) << losses.begin()->first << ": " << losses.begin()->second;
  }

  absl::StatusOr<std::vector<v1::VmStatus>> VmsOf(pid_t pid) {
    KVMSENTRY_ASSIGN_OR_RETURN(std::vector<v1::VmStatus> vms, cli().Vms("*"));
    std::erase_if(
        vms, [pid](const v1::VmStatus& vm) { return vm.vm().pid() != static_cast<uint32_t>(pid); });
    return vms;
  }
};

TEST_F(ChurnTest, TwoHundredVmsAtOnceAreListedEachWithItsOwnCounts) {
  StartDaemon({"storms.textproto"}, {"--max-vms", "1024"});
  if (HasFatalFailure()) return;
  constexpr uint64_t kVms = 200;
  const std::string prefix = Name("many");
  const auto name = [&](uint64_t i) { return absl::StrCat(prefix, "-", i); };
  std::vector<Guest> guests;
  for (uint64_t i = 0; i < kVms; ++i) {
    ASSERT_OK_AND_ASSIGN(Guest guest,
                         Guest::Start(absl::StrCat("--name ", name(i), " --behaviour pio --count ",
                                                   10 + i, " --seconds 600")));
    guests.push_back(std::move(guest));
  }
  for (Guest& guest : guests) ASSERT_OK(guest.Begin());
  // Afterwards each is calm: its halts go on, its port accesses do not.
  std::vector<v1::VmStatus> vms;
  const bool all = WaitUntil([&] {
    vms = cli().Vms(prefix + "-*").value_or(std::vector<v1::VmStatus>());
    return vms.size() == kVms && std::ranges::all_of(vms, [](const v1::VmStatus& vm) {
             return vm.watched() &&
                    CountOf(vm, "userspace_exit.rate") > CountOf(vm, "pio.rate").value_or(0) + 5;
           });
  });
  ASSERT_TRUE(all) << vms.size() << " VMs are listed";
  std::map<std::string, v1::VmStatus> by_name;
  for (const v1::VmStatus& vm : vms) by_name[vm.vm().name()] = vm;
  for (uint64_t i = 0; i < kVms; ++i) {
    const v1::VmStatus& vm = by_name[name(i)];
    EXPECT_EQ(vm.vm().pid(), static_cast<uint32_t>(guests[i].pid()));
    EXPECT_EQ(CountOf(vm, "pio.rate"), 10 + i) << name(i);
    EXPECT_TRUE(vm.seen_from_birth());
  }
  ExpectNothingLostButBirthsOverBudget();
  StopDaemon();
}

// More than there are slots.
TEST_F(ChurnTest, AfterThousandsOfVmsInARowNoneIsHiddenNoneIsLeftAndTheNextIsExact) {
  StartDaemon({"storms.textproto"}, {"--max-vms", "1024"});
  if (HasFatalFailure()) return;
  const int churned_vms = IsLab() ? 1500 : 5000;
  std::atomic<bool> done = false;
  absl::Status churned;
  std::thread churner([&] {
    for (int i = 0; i < churned_vms && churned.ok(); ++i) {
      const auto vm = SmallVm::Create();
      churned = vm.ok() ? vm->Run(0, 1 + static_cast<uint64_t>(i % 7)) : vm.status();
    }
    done = true;
  });
  while (!done) {
    const auto status = cli().Status();
    if (!status.ok()) ADD_FAILURE() << status.status();
    EXPECT_EQ(status.ok() ? status->vms_hidden() : 0U, 0U);
    absl::SleepFor(absl::Milliseconds(20));  // the daemon refuses a hundred calls a second
  }
  churner.join();
  ASSERT_OK(churned);
  // But the last, for this process goes on.
  EXPECT_TRUE(WaitUntil([&] {
    const auto vms = VmsOf(getpid());
    return vms.ok() && (vms->empty() || (vms->size() == 1 && vms->front().exited()));
  })) << "VMs are listed that are gone";
  const std::string next = Name("next");
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(next, "--behaviour pio --count 777 --vcpus 4"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus vm,
                       WaitForVm(next, Counted("pio.rate", uint64_t{4} * 777)));
  EXPECT_EQ(CountOf(vm, "pio.rate"), uint64_t{4} * 777);
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  EXPECT_TRUE(status.has_vms_hidden());
  EXPECT_EQ(status.vms_hidden(), 0U);
  ExpectNothingLostButBirthsOverBudget();
  StopDaemon();
}

// Other VMs of the host take slots, too.
TEST_F(ChurnTest, OneVmTooManyIsReportedAsUnwatchedUntilASlotIsFree) {
  constexpr size_t kMax = 8;
  StartDaemon({"storms.textproto"}, {"--max-vms", absl::StrCat(kMax)});
  if (HasFatalFailure()) return;
  const std::string prefix = Name("crowd");
  std::map<std::string, Guest> guests;
  for (size_t i = 0; i <= kMax; ++i) {
    const std::string name = absl::StrCat(prefix, "-", i);
    ASSERT_OK_AND_ASSIGN(Guest guest,
                         Guest::Start(absl::StrCat("--name ", name, " --seconds 600 ",
                                                   "--behaviour pio --count 300 --then calm")));
    ASSERT_OK(guest.Begin());
    guests.emplace(name, std::move(guest));
  }
  std::vector<v1::VmStatus> vms;
  ASSERT_TRUE(WaitUntil([&] {
    vms = cli().Vms(prefix + "-*").value_or(std::vector<v1::VmStatus>());
    return vms.size() == guests.size() && std::ranges::all_of(vms, [](const v1::VmStatus& vm) {
             return !vm.watched() || CountOf(vm, "userspace_exit.rate") > 305U;
           });
  })) << vms.size()
      << " VMs are listed";
  std::vector<std::string> unwatched;
  for (const v1::VmStatus& vm : vms) {
    if (vm.watched()) {
      EXPECT_EQ(CountOf(vm, "pio.rate"), 300U);
      continue;
    }
    EXPECT_THAT(vm.unwatched_reason(), HasSubstr("raise --max-vms"));
    EXPECT_EQ(CountOf(vm, "pio.rate"), std::nullopt);
    EXPECT_EQ(vm.vm().pid(), static_cast<uint32_t>(guests.at(vm.vm().name()).pid()));
    unwatched.push_back(vm.vm().name());
  }
  ASSERT_FALSE(unwatched.empty());
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  EXPECT_EQ(status.limits().max_vms(), kMax);
  EXPECT_GE(status.vms_unwatched(), unwatched.size());
  EXPECT_EQ(status.vms_hidden(), 0U);
  EXPECT_GT(Losses()["no_vm_slot"], 0U);
  ASSERT_OK_AND_ASSIGN(const Finished table, cli().Run({"vms", "--vm", unwatched[0]}));
  EXPECT_THAT(absl::StrJoin(table.lines, "\n"), HasSubstr("raise --max-vms"));

  // The others end: it is watched from then on.
  for (auto& [name, guest] : guests) {
    if (name != unwatched[0]) ASSERT_OK(guest.Stop());
  }
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus later, WaitForVm(unwatched[0], [](const auto& vm) {
                         return vm.watched() && CountOf(vm, "userspace_exit.rate") > 0U;
                       }));
  EXPECT_FALSE(later.seen_from_birth());
  EXPECT_EQ(CountOf(later, "pio.rate"), 0U);  // it is calm by now
  StopDaemon();
}

TEST_F(ChurnTest, AVmWithOneVcpuTooManyIsReportedAsNotWholeAndTheOthersAreExact) {
  StartDaemon({"storms.textproto"}, {"--max-vcpus", "12"});
  if (HasFatalFailure()) return;
  const std::string small = Name("small");
  const std::string wide = Name("wide");
  ASSERT_OK_AND_ASSIGN(Guest small_guest, StartGuest(small, "--behaviour pio --count 300"));
  ASSERT_OK_AND_ASSIGN(
      Guest wide_guest,
      Guest::Start(
          absl::StrCat("--name ", wide, " --behaviour pio --count 200 --vcpus 12 --seconds 600")));
  ASSERT_OK(small_guest.Begin());
  ASSERT_OK(wide_guest.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus vm,
                       WaitForVm(wide, [](const auto& vm) { return !vm.watched(); }));
  EXPECT_THAT(vm.unwatched_reason(), HasSubstr("raise --max-vcpus"));
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus whole, WaitForVm(small, Counted("pio.rate", 300)));
  EXPECT_TRUE(whole.watched());
  EXPECT_EQ(CountOf(whole, "pio.rate"), 300U);
  EXPECT_GT(Losses()["no_vcpu_slot"], 0U);
  StopDaemon();
}

// A VMM chooses its arguments. What it chooses is one field of one row, and no two names look
// alike.
TEST_F(ChurnTest, NamesThatWereChosenToMisleadAreEscapedAndToldApart) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const std::string base = Name("evil");
  const std::map<std::string, std::string> names = {
      {base + "\nweb-1\trunning", base + "\\x0aweb-1\\x09running"},
      {base + "\\x0aweb-1\\x09running", base + "\\x5cx0aweb-1\\x5cx09running"},
      {base + "%s%n%99999d{}", base + "%s%n%99999d{}"},
      {base + "\xff\xfe\xc3(", base + "\\xff\\xfe\\xc3("},
      {base + "\x1b[31m\x1b]0;x\x07", base + "\\x1b[31m\\x1b]0;x\\x07"},
      {base + "\xe2\x80\xae" + "gnp", base + "\\xe2\\x80\\xaegnp"},
      {base + "\",\"pid\":1}'`$(id)", base + "\",\"pid\":1}'`$(id)"},
      {base + "-\xc3\xbc\xe2\x82\xac", base + "-\xc3\xbc\xe2\x82\xac"},
  };
  std::map<std::string, Guest> guests;
  uint64_t count = 20000;
  std::map<std::string, uint64_t> counts;
  for (const auto& [name, shown] : names) {
    counts[shown] = ++count;
    ASSERT_OK_AND_ASSIGN(Guest guest,
                         Guest::Start(absl::StrCat("--seconds 600 --behaviour pio --count ", count),
                                      {"/bin/bash", "-c", R"(exec "$@" --name "$0")", name}));
    ASSERT_OK(guest.Begin());
    guests.emplace(shown, std::move(guest));
  }
  for (auto& [shown, guest] : guests) {
    ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor(shown, "pio-storm", v1::Alert::OPEN));
    EXPECT_EQ(open.vm().pid(), static_cast<uint32_t>(guest.pid()));
    EXPECT_THAT(open.summary(), HasSubstr(shown));
    std::vector<v1::VmStatus> vms;
    EXPECT_TRUE(WaitUntil([&, &shown = shown, &guest = guest] {
      vms = VmsOf(guest.pid()).value_or(std::vector<v1::VmStatus>());
      return vms.size() == 1 && CountOf(vms[0], "pio.rate") >= counts[shown];
    })) << shown;
    ASSERT_THAT(vms, SizeIs(1));
    EXPECT_EQ(vms[0].vm().name(), shown);
    EXPECT_EQ(CountOf(vms[0], "pio.rate"), counts[shown]);
  }
  // As a person reads it: a row each, and no control character.
  for (const char* what : {"vms", "alerts"}) {
    ASSERT_OK_AND_ASSIGN(const Finished table, cli().Run({what, "--wide"}));
    for (const auto& [name, shown] : names) {
      const auto tells = [&shown = shown](const std::string& line) {
        return absl::StrContains(line, shown + " ") || absl::StrContains(line, shown + ":");
      };
      EXPECT_GE(std::ranges::count_if(table.lines, tells), 1) << shown << " in " << what;
    }
    for (const std::string& line : table.lines) {
      for (const char c : line) {
        const auto byte = static_cast<unsigned char>(c);
        EXPECT_TRUE(byte >= 0x20 && byte != 0x7f) << what << ": " << line;
      }
    }
  }
}

// The name that the kernel has of a process stands in the midst of what /proc tells.
TEST_F(ChurnTest, AProcessNameThatLooksLikeWhatProcTellsMisleadsNobody) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const TempDir folder, TempDir::Make());
  const std::string vm = Name("plain");
  for (const std::string comm : {") Z 1 (", "x\nTgid:\t1", "%s%n\xff\x1b[m"}) {
    const std::string program = folder / comm;
    ASSERT_OK_AND_ASSIGN(
        Guest guest,
        Guest::Start(absl::StrCat("--name ", vm, " --seconds 600 --behaviour pio --count 500"),
                     {"/bin/bash", "-c", R"(ln -s "$1" "$0" && exec "$0" "${@:2}")", program}));
    ASSERT_OK(guest.Begin());
    ASSERT_OK_AND_ASSIGN(const v1::VmStatus status, WaitForVm(vm, Counted("pio.rate", 500)));
    EXPECT_EQ(status.vm().pid(), static_cast<uint32_t>(guest.pid()));
    EXPECT_EQ(CountOf(status, "pio.rate"), 500U);
    ASSERT_OK(guest.Stop());
    ASSERT_OK(guest.Finish());
    ASSERT_TRUE(WaitUntil([&] {
      const auto vms = cli().Vms(vm);
      return vms.ok() && vms->empty();
    }));
  }
}

}  // namespace
}  // namespace kvmsentry
