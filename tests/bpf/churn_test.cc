// Identity under churn: however many VMs are made, and however fast, each count lands on its own
// VM, and KVM's own count agrees.
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/bpf/churn_fixture.h"
#include "tests/support/small_vm.h"

namespace kvmsentry {
namespace {

using ::testing::SizeIs;

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

}  // namespace
}  // namespace kvmsentry
