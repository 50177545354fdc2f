// Identity under churn: whatever becomes of the processes and threads around a VM, it stays itself.
#include <atomic>
#include <csignal>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bpf/churn_fixture.h"
#include "tests/support/child.h"
#include "tests/support/small_vm.h"

namespace kvmsentry {
namespace {

using ::testing::SizeIs;

// Of VMs that are there before they are watched.
class EarlierTest : public ChurnTest {
 protected:
  // Not yet what ChurnTest does.
  void SetUp() override { BpfTest::SetUp(); }  // NOLINT(bugprone-parent-virtual-call)
};

// The kernel hands the number of a process that has ended out again.
TEST_F(ChurnTest, ProcessesThatHaveTheSamePidOneAfterTheOtherHaveVmsOfTheirOwn) {
  constexpr uint64_t kProcesses = 50;
  pid_t pid = 0;
  for (uint64_t i = 0; i < kProcesses; ++i) {
    ASSERT_OK_AND_ASSIGN(Child child, Child::Fork(
                                          [i](const Child::Pause& pause) -> absl::Status {
                                            KVMSENTRY_ASSIGN_OR_RETURN(const SmallVm vm,
                                                                       SmallVm::Create());
                                            pause();
                                            return vm.Run(0, 100 + i);
                                          },
                                          pid));
    pid = child.pid();
    ASSERT_OK(child.AwaitPause());
    // Some live and die unseen between two looks.
    if (i % 2 == 0) ASSERT_OK(watch_->Tick());
    ASSERT_OK(child.Finish());
  }
  ASSERT_TRUE(AllGone(pid, kProcesses));
  const auto lives = watch_->LivesOf(pid);
  ASSERT_THAT(lives, SizeIs(kProcesses));
  for (uint64_t i = 0; i < kProcesses; ++i) EXPECT_EQ(PioOf(*lives[i]), 100 + i);
  ExpectNothingLostButBirthsOverBudget();
}

// Two that are alive at once, the one by a child of the process that had the pid first: what is
// told of the VM of either must be of its own process.
TEST_F(ChurnTest, AVmThatOutlivesItsCreatorIsNotGivenToTheNextProcessOfThatPid) {
  ASSERT_OK_AND_ASSIGN(Child first, Child::Fork([](const Child::Pause& pause) -> absl::Status {
                         KVMSENTRY_ASSIGN_OR_RETURN(const SmallVm vm, SmallVm::Create());
                         KVMSENTRY_RETURN_IF_ERROR(vm.Run(0, 7));
                         if (fork() != 0) _exit(0);
                         pause();  // the child holds the VM; the next pause ends it
                         return absl::OkStatus();
                       }));
  const pid_t pid = first.pid();
  ASSERT_OK(first.AwaitPause());
  ASSERT_OK(first.AwaitEnd());
  ASSERT_OK_AND_ASSIGN(Child second, Child::Fork(
                                         [](const Child::Pause& pause) -> absl::Status {
                                           KVMSENTRY_ASSIGN_OR_RETURN(const SmallVm vm,
                                                                      SmallVm::Create());
                                           KVMSENTRY_RETURN_IF_ERROR(vm.Run(0, 11));
                                           pause();
                                           return absl::OkStatus();
                                         },
                                         pid));
  ASSERT_OK(second.AwaitPause());
  ASSERT_TRUE(TickUntilWalked());
  const auto lives = watch_->LivesOf(pid);
  ASSERT_THAT(lives, SizeIs(2));
  EXPECT_EQ(PioOf(*lives[0]), 7U);
  EXPECT_EQ(PioOf(*lives[1]), 11U);
  EXPECT_FALSE(lives[0]->gone);
  EXPECT_NE(lives[0]->entry.facts.pid, pid);
  EXPECT_EQ(lives[1]->entry.facts.pid, pid);
  ASSERT_OK(second.Finish());
  ASSERT_TRUE(TickUntil([&] { return watch_->CountGone(pid) == 1; }));
  EXPECT_TRUE(lives[1]->gone);
  ASSERT_OK(first.Continue());
  EXPECT_TRUE(AllGone(pid, 2));
  ExpectNothingLostButBirthsOverBudget();
}

// KVM lets nobody use a VM from another address space: a forked child keeps it alive, no more.
TEST_F(ChurnTest, AVmWhoseCreatorForkedAndDiedLivesOnWithTheChild) {
  ASSERT_OK_AND_ASSIGN(Child child, Child::Fork([](const Child::Pause& pause) -> absl::Status {
                         KVMSENTRY_ASSIGN_OR_RETURN(const SmallVm vm, SmallVm::Create());
                         KVMSENTRY_RETURN_IF_ERROR(vm.Run(0, 5));
                         if (fork() != 0) _exit(0);
                         const absl::Status refused = vm.Run(0, 1);
                         if (refused.ok()) _exit(1);  // never pauses
                         pause();
                         return absl::OkStatus();
                       }));
  const pid_t creator = child.pid();
  ASSERT_OK(child.AwaitPause());
  ASSERT_OK(child.AwaitEnd());
  ASSERT_TRUE(TickUntilWalked());
  const auto lives = watch_->LivesOf(creator);
  ASSERT_THAT(lives, SizeIs(1));
  EXPECT_FALSE(lives[0]->gone);
  EXPECT_EQ(PioOf(*lives[0]), 5U);
  EXPECT_NE(lives[0]->entry.facts.pid, creator);
  ASSERT_OK(child.Continue());
  EXPECT_TRUE(AllGone(creator, 1));
  ExpectNothingLostButBirthsOverBudget();
}

// A process that shares its creator's memory can run the VM. It is the creator's no more.
TEST_F(ChurnTest, AVmThatAProcessWithItsCreatorsMemoryRunsGoesOnBeingCounted) {
  ASSERT_OK_AND_ASSIGN(Child child, Child::Fork([](const Child::Pause& pause) -> absl::Status {
                         KVMSENTRY_ASSIGN_OR_RETURN(const SmallVm vm, SmallVm::Create(2));
                         KVMSENTRY_RETURN_IF_ERROR(vm.Run(0, 5));
                         const auto heir = [&] {
                           pause();
                           if (!vm.Run(0, 7).ok() || !vm.Run(1, 9).ok()) _exit(1);
                           pause();
                           _exit(0);
                         };
                         alignas(16) static std::byte stack[256 << 10];
                         const pid_t pid = clone(
                             [](void* body) {
                               (*static_cast<const decltype(heir)*>(body))();
                               return 0;
                             },
                             std::end(stack), CLONE_VM | SIGCHLD,
                             const_cast<void*>(static_cast<const void*>(&heir)));
                         // What the heir uses must stay.
                         _exit(pid > 0 ? 0 : 1);
                       }));
  const pid_t creator = child.pid();
  ASSERT_OK(child.AwaitPause());
  ASSERT_OK(child.AwaitEnd());
  ASSERT_TRUE(TickUntilWalked());
  ASSERT_OK(child.Continue());
  ASSERT_OK(child.AwaitPause());
  ASSERT_OK(watch_->Tick());
  const auto lives = watch_->LivesOf(creator);
  ASSERT_THAT(lives, SizeIs(1));
  EXPECT_FALSE(lives[0]->gone);
  EXPECT_EQ(PioOf(*lives[0]), 5U + 7U + 9U);
  EXPECT_NE(lives[0]->entry.facts.pid, creator);
  ASSERT_OK(child.Continue());
  EXPECT_TRUE(AllGone(creator, 1));
  ExpectNothingLostButBirthsOverBudget();
}

// A process goes on when its first thread has ended, but /proc shows it with no files and no
// command line.
TEST_F(EarlierTest, AVmOfAProcessWhoseFirstThreadHasEndedIsFoundAndItsOwn) {
  ASSERT_OK_AND_ASSIGN(Child child, Child::Fork([](const Child::Pause& pause) -> absl::Status {
                         std::thread([&pause] {
                           const auto vm = SmallVm::Create();
                           pause();
                           _exit(vm.ok() && vm->Run(0, 13).ok() ? 0 : 1);
                         }).detach();
                         syscall(SYS_exit, 0);
                         return absl::OkStatus();  // not reached
                       }));
  ASSERT_OK(child.AwaitPause());
  StartWatch();
  if (HasFatalFailure()) return;
  std::vector<VmFacts> found;
  for (const auto& [serial, life] : watch_->lives()) {
    if (life.entry.facts.pid == child.pid()) found.push_back(life.entry.facts);
  }
  ASSERT_THAT(found, SizeIs(1));
  ProcFs proc;
  ASSERT_OK_AND_ASSIGN(const ProcessFacts mine, proc.Read(getpid()));
  ASSERT_OK_AND_ASSIGN(const ProcessFacts facts, proc.Read(child.pid()));
  EXPECT_EQ(facts.args, mine.args);
  EXPECT_EQ(facts.exe, mine.exe);
  ASSERT_OK(child.Finish());
  ASSERT_TRUE(TickUntil([&] { return watch_->lives().at(found[0].id.serial).gone; }));
  EXPECT_EQ(PioOf(watch_->lives().at(found[0].id.serial)), 13U);
}

TEST_F(ChurnTest, AVcpuThatOneThreadRunsAfterAnotherIsOneVcpu) {
  constexpr uint64_t kThreads = 40;
  ASSERT_OK_AND_ASSIGN(const SmallVm vm, SmallVm::Create(2));
  ASSERT_OK_AND_ASSIGN(const SmallVm other, SmallVm::Create(2));
  for (uint64_t i = 0; i < kThreads; ++i) {
    std::thread([&] {
      EXPECT_EQ(vm.Run(static_cast<uint32_t>(i % 2), 10 + i), absl::OkStatus());
      EXPECT_EQ(other.Run(i % 2, 1), absl::OkStatus());
    }).join();
  }
  const std::vector<Slot> slots = SlotsOf(gettid());
  ASSERT_THAT(slots, SizeIs(2));
  uint64_t expected[2] = {};
  for (uint64_t i = 0; i < kThreads; ++i) expected[i % 2] += 10 + i;
  ASSERT_THAT(VcpusIn(slots[0]), SizeIs(2));
  for (const ks_vcpu_row* vcpu : VcpusIn(slots[0])) {
    EXPECT_EQ(vcpu->meters[KS_METER_PIO].count, expected[vcpu->vcpu_index]);
    EXPECT_EQ(vcpu->meters[KS_METER_USERSPACE_EXIT].count, expected[vcpu->vcpu_index]);
  }
  EXPECT_EQ(CountsIn(slots[1]).count[KS_METER_PIO], kThreads);
  ASSERT_TRUE(TickUntilWalked());
  ExpectNothingLostButBirthsOverBudget();
}

// Threads that want the same vCPU at once wait for each other inside KVM_RUN.
TEST_F(ChurnTest, ThreadsThatFightForVcpusAreCountedForThoseThatTheyRan) {
  constexpr uint64_t kThreads = 6;
  constexpr uint64_t kRounds = 300;
  ASSERT_OK_AND_ASSIGN(const SmallVm first, SmallVm::Create(2));
  ASSERT_OK_AND_ASSIGN(const SmallVm second, SmallVm::Create(2));
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&first, &second] {
      for (uint64_t round = 0; round < kRounds; ++round) {
        EXPECT_EQ(first.Run(round % 2, 1 + round % 3), absl::OkStatus());
        EXPECT_EQ(second.Run(round % 2, 1), absl::OkStatus());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<Slot> slots = SlotsOf(gettid());
  ASSERT_THAT(slots, SizeIs(2));
  for (const ks_kvm_meter meter : {KS_METER_PIO, KS_METER_USERSPACE_EXIT}) {
    EXPECT_EQ(CountsIn(slots[0]).count[meter], kThreads * kRounds * 2);
    EXPECT_EQ(CountsIn(slots[1]).count[meter], kThreads * kRounds);
    for (const ks_vcpu_row* vcpu : VcpusIn(slots[1])) {
      EXPECT_EQ(vcpu->meters[meter].count, kThreads * kRounds / 2);
    }
  }
  ASSERT_TRUE(TickUntilWalked());
  ExpectNothingLostButBirthsOverBudget();
}

}  // namespace
}  // namespace kvmsentry
