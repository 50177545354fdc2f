// Identity under churn: whoever makes VMs, however fast, and whatever becomes of the processes and
// threads around them, each count lands on its own VM, and KVM's own count agrees.
#include <atomic>
#include <csignal>
#include <optional>
#include <set>
#include <thread>

#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bpf/fixture.h"
#include "tests/bpf/watch.h"
#include "tests/support/child.h"
#include "tests/support/small_vm.h"

namespace kvmsentry {
namespace {

using ::testing::SizeIs;

class ChurnTest : public BpfTest {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (!HasFatalFailure()) StartWatch();
  }

  void StartWatch() {
    objects_ = {"life", "inventory", "device", "userspace"};
    options_.sizes = {.max_vms = 512, .max_vcpus = 2048, .ring_bytes = 1 << 20};
    Load();
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(watch_, Watch::Open(*probe_));
    ASSERT_OK(watch_->Tick());
  }

  // Births come in floods here, and those over budget are found at the next tick.
  void ExpectNothingLostButBirthsOverBudget() {
    const ks_losses& losses = tables().losses();
    EXPECT_EQ(losses.ring_full, 0U);
    EXPECT_EQ(losses.no_vm_slot, 0U);
    EXPECT_EQ(losses.no_vcpu_slot, 0U);
    EXPECT_EQ(losses.table_update, 0U);
    EXPECT_EQ(losses.row_lookup, 0U);
    EXPECT_EQ(losses.unattributed, 0U);
    EXPECT_GT(watch_->audited(), 0U);
    EXPECT_EQ(watch_->most_unknown(), 0U);
    // Other VMs of the host may come and go at the same time.
    EXPECT_TRUE(WaitUntil([this] { return SlotsAreConserved(); }));
  }

  // Takes all free slots out of the pinned queue NAME and puts them back.
  std::multiset<Slot> FreeSlots(absl::string_view name) const {
    const Fd queue(bpf_obj_get(absl::StrCat(options_.pin_root, "/", name).c_str()));
    std::vector<Slot> taken;
    Slot slot = 0;
    while (bpf_map_lookup_and_delete_elem(queue.get(), nullptr, &slot) == 0) taken.push_back(slot);
    for (const Slot free : taken) bpf_map_update_elem(queue.get(), nullptr, &free, BPF_ANY);
    return {taken.begin(), taken.end()};
  }

  // Each slot is either free, and that once, or somebody's.
  bool SlotsAreConserved() {
    const auto conserved = [this](absl::string_view free_name, auto rows, auto serial) {
      const std::multiset<Slot> free = FreeSlots(free_name);
      for (Slot slot = 0; slot < rows.size(); ++slot) {
        if (free.count(slot) != (rows[slot].*serial == 0 ? 1 : 0)) return false;
      }
      return true;
    };
    return conserved("free_vm_slots", tables().vms(), &ks_vm_row::serial) &&
           conserved("free_vcpu_slots", tables().vcpus(), &ks_vcpu_row::vm_serial);
  }

  // Ticks until CONDITION is true.
  template <typename Condition>
  bool TickUntil(Condition condition) {
    return WaitUntil([&] {
      EXPECT_EQ(watch_->Tick(), absl::OkStatus());
      return condition() || HasFailure();
    });
  }

  // A walk that began after now.
  bool TickUntilWalked() {
    return TickUntil([this, walks = watch_->walks()] { return watch_->walks() > walks; });
  }

  bool AllGone(pid_t creator, size_t vms) {
    return TickUntil([&] { return watch_->CountGone(creator) == vms; });
  }

  static uint64_t PioOf(const Watch::Life& life) { return life.counts.count[KS_METER_PIO]; }

  std::optional<Watch> watch_;
};

// Of VMs that are there before they are watched.
class EarlierTest : public ChurnTest {
 protected:
  void SetUp() override { BpfTest::SetUp(); }
};

TEST_F(ChurnTest, TwoHundredVmsAtOnceAreCountedApart) {
  constexpr uint64_t kVms = 200;
  std::vector<SmallVm> vms;
  for (uint64_t i = 0; i < kVms; ++i) {
    ASSERT_OK_AND_ASSIGN(SmallVm vm, SmallVm::Create());
    vms.push_back(std::move(vm));
  }
  // By turns, from two threads, so that each CPU goes from VM to VM; VM i comes to i + 1.
  const auto run = [&vms](uint64_t odd) {
    for (uint64_t round = 0; round < kVms; ++round) {
      for (uint64_t i = std::max(round, odd); i < kVms; ++i) {
        if (i % 2 != odd) continue;
        EXPECT_EQ(vms[i].Run(0, 1), absl::OkStatus());
      }
    }
  };
  std::thread other(run, 1);
  run(0);
  other.join();
  ASSERT_OK(watch_->Tick());
  const std::vector<Slot> slots = SlotsOf(gettid());
  ASSERT_THAT(slots, SizeIs(kVms));
  for (uint64_t i = 0; i < kVms; ++i) {
    EXPECT_EQ(CountsIn(slots[i]).count[KS_METER_PIO], i + 1);
    EXPECT_EQ(CountsIn(slots[i]).count[KS_METER_USERSPACE_EXIT], i + 1);
  }
  vms.clear();
  EXPECT_TRUE(AllGone(gettid(), kVms));
  ExpectNothingLostButBirthsOverBudget();
}

// Makes COUNT VMs, one after the other, as fast as it can, but never more than the watch can have
// slots for. VM i has 1 + i % 3 vCPUs and makes FIRST + i % 7 exits, all on one of these.
class Churner {
 public:
  Churner(uint64_t count, uint64_t first)
      : count_(count), first_(first), thread_([this] { Run(); }) {}
  ~Churner() {
    stop_ = true;
    thread_.join();
  }

  bool started() const { return tid_ != 0; }
  pid_t tid() const { return tid_; }
  uint64_t made() const { return made_; }
  const absl::Status& status() const { return status_; }  // once all were made
  void SetGone(uint64_t gone) { gone_ = gone; }

  uint64_t ExitsOf(uint64_t i) const { return first_ + i % 7; }
  static uint32_t VcpusOf(uint64_t i) { return 1 + static_cast<uint32_t>(i % 3); }

 private:
  static constexpr uint64_t kMostUnreleased = 150;

  absl::Status MakeOne(uint64_t i) const {
    KVMSENTRY_ASSIGN_OR_RETURN(const SmallVm vm, SmallVm::Create(VcpusOf(i)));
    return vm.Run(static_cast<uint32_t>(i % VcpusOf(i)), ExitsOf(i));
  }

  void Run() {
    tid_ = gettid();
    while (made_ < count_ && !stop_) {
      if (made_ - gone_ > kMostUnreleased) {
        absl::SleepFor(absl::Milliseconds(1));
        continue;
      }
      if (status_.ok()) status_ = MakeOne(made_);
      ++made_;
    }
  }

  const uint64_t count_;
  const uint64_t first_;
  std::atomic<pid_t> tid_ = 0;
  std::atomic<uint64_t> made_ = 0;
  std::atomic<uint64_t> gone_ = 0;
  std::atomic<bool> stop_ = false;
  absl::Status status_;
  std::thread thread_;  // last: it uses the others
};

TEST_F(ChurnTest, OfFiveThousandVmsInARowEachIsCountedForItselfAndNoneIsHidden) {
  constexpr uint64_t kEach = 2500;
  std::vector<std::unique_ptr<Churner>> churners;
  for (const uint64_t first : {1U, 10U})
    churners.push_back(std::make_unique<Churner>(kEach, first));
  ASSERT_TRUE(TickUntil([&] {
    return std::ranges::all_of(churners, [&](auto& churner) {
      churner->SetGone(watch_->CountGone(churner->tid()));
      return churner->made() == kEach && watch_->CountGone(churner->tid()) == kEach;
    });
  })) << watch_->CountGone(churners[0]->tid())
      << " and " << watch_->CountGone(churners[1]->tid()) << " are gone";
  for (const auto& churner : churners) {
    EXPECT_EQ(churner->status(), absl::OkStatus());
    const auto lives = watch_->LivesOf(churner->tid());
    ASSERT_THAT(lives, SizeIs(kEach));
    for (uint64_t i = 0; i < kEach; ++i) {
      ASSERT_EQ(PioOf(*lives[i]), churner->ExitsOf(i)) << "VM " << i;
      ASSERT_EQ(lives[i]->counts.count[KS_METER_USERSPACE_EXIT], churner->ExitsOf(i));
      ASSERT_EQ(lives[i]->counts.vcpus, Churner::VcpusOf(i));
    }
    EXPECT_THAT(SlotsOf(churner->tid()), SizeIs(0));
  }
  EXPECT_GT(watch_->walks(), 5U);
  ExpectNothingLostButBirthsOverBudget();
}

// All are of one VM, and of the new one, not of that which had its address before.
TEST_F(ChurnTest, VcpusThatAreMadeAtOnceAreOfOneVm) {
  constexpr uint64_t kVms = 300;
  constexpr uint32_t kVcpus = 4;
  for (uint64_t i = 0; i < kVms; ++i) {
    ASSERT_OK_AND_ASSIGN(const SmallVm vm, SmallVm::CreateAtOnce(kVcpus));
    for (uint32_t vcpu = 0; vcpu < kVcpus; ++vcpu) ASSERT_OK(vm.Run(vcpu, 1 + i % 5));
    if (i % 50 == 0) ASSERT_OK(watch_->Tick());
  }
  EXPECT_TRUE(AllGone(gettid(), kVms));
  const auto lives = watch_->LivesOf(gettid());
  ASSERT_THAT(lives, SizeIs(kVms));
  for (uint64_t i = 0; i < kVms; ++i) {
    ASSERT_EQ(PioOf(*lives[i]), kVcpus * (1 + i % 5)) << "VM " << i;
    ASSERT_EQ(lives[i]->counts.vcpus, kVcpus) << "VM " << i;
  }
  ExpectNothingLostButBirthsOverBudget();
}

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
  for (const ks_meter meter : {KS_METER_PIO, KS_METER_USERSPACE_EXIT}) {
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
