// Which virtqueues are a VM's, as user space sees it in the kernel's tables. The rows are written
// here as programs write them, for without vhost there are none.
#include <bpf/bpf.h>
#include <gmock/gmock.h>

#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr VmPlace kOne = {{1}, 0};
constexpr VmPlace kTwo = {{2}, 1};

class VhostRowsTest : public BpfTest {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (HasFatalFailure()) return;
    objects_ = {"life"};
    Load();
  }

  VhostTables& Tables() { return sources_->vhost().tables(); }

  template <typename Value>
  void Put(const char* map, uint32_t key, const Value& value) {
    ASSERT_EQ(bpf_map_update_elem(probe().MapFd(map), &key, &value, BPF_ANY), 0) << map;
  }

  template <typename Value>
  Value Get(const char* map, uint32_t key) {
    Value value{};
    EXPECT_EQ(bpf_map_lookup_elem(probe().MapFd(map), &key, &value), 0) << map;
    return value;
  }

  // A queue of VM, which has counted KICKS; in the slot that this returns.
  Slot AddQueue(const VmPlace& vm, uint64_t kicks = 0) {
    Slot slot = 0;
    EXPECT_EQ(bpf_map_lookup_and_delete_elem(probe().MapFd("free_queue_slots"), nullptr, &slot), 0);
    Put("queues_used", slot / 64, Get<uint64_t>("queues_used", slot / 64) | 1ULL << slot % 64);
    auto sum = Get<ks_vhost_vm_row>("vhost_vms", vm.slot);
    sum.vm_serial = vm.vm.serial;
    ++sum.queues;
    Put("vhost_vms", vm.slot, sum);
    Put("vhost_vms_used", 0, Get<uint64_t>("vhost_vms_used", 0) | 1ULL << vm.slot);
    ks_queue_row row{};
    row.queue = row.address = 0xffff000000000000 + slot * 64;
    row.vm_serial = vm.vm.serial;
    row.vm_slot = vm.slot;
    row.slot = slot;
    row.meters[KS_METER_VHOST_KICK].count = kicks;
    row.meters[KS_METER_VHOST_KICK].checkpoint = 1000;
    Put("queues", slot, row);
    return slot;
  }

  uint64_t CheckpointOf(Slot queue) {
    return Get<ks_queue_row>("queues", queue).meters[KS_METER_VHOST_KICK].checkpoint;
  }
};

TEST_F(VhostRowsTest, AVmHasItsOwnQueuesAndTheOneThatJustCame) {
  const Slot first = AddQueue(kOne);
  const Slot other = AddQueue(kTwo);
  const Slot second = AddQueue(kOne);
  EXPECT_THAT(Tables().QueuesOf(kOne), ElementsAre(first, second));
  EXPECT_THAT(Tables().QueuesOf(kTwo), ElementsAre(other));
  EXPECT_THAT(Tables().QueuesOf({{3}, 1}), IsEmpty());  // the slot's next VM
  Tables().FoldQueues();
  const Slot third = AddQueue(kTwo);
  EXPECT_THAT(Tables().QueuesOf(kTwo), ElementsAre(other, third));
}

TEST_F(VhostRowsTest, TheQueuesOfAVmThatIsGoneAreFreedAndNoOthers) {
  const Slot gone = AddQueue(kOne, 5);
  const Slot stays = AddQueue(kTwo, 7);
  ASSERT_OK(sources_->vhost().Release(kOne));
  EXPECT_EQ(Get<ks_queue_row>("queues", gone).queue, 0U);
  EXPECT_NE(Get<ks_queue_row>("queues", stays).queue, 0U);
  Tables().FoldQueues();  // it rests
  EXPECT_EQ(Get<ks_queue_row>("queues", gone).vm_serial, 1U);
  Tables().FoldQueues();
  EXPECT_EQ(Get<ks_queue_row>("queues", gone).vm_serial, 0U);
  EXPECT_THAT(Tables().QueuesOf(kOne), IsEmpty());
  EXPECT_THAT(Tables().QueuesOf(kTwo), ElementsAre(stays));
  EXPECT_EQ(Tables().CountsOf(kTwo).count[KS_METER_VHOST_KICK], 7U);
  // Its slot and the VM's are used again.
  const Slot next = AddQueue({{3}, 0}, 1);
  EXPECT_THAT(Tables().QueuesOf({{3}, 0}), ElementsAre(next));
  EXPECT_EQ(Tables().CountsOf({{3}, 0}).count[KS_METER_VHOST_KICK], 1U);
}

TEST_F(VhostRowsTest, ALimitIsInForceAtOnceOnTheQueuesOfItsVm) {
  const Slot own = AddQueue(kOne);
  const Slot other = AddQueue(kTwo);
  Tables().SetLimits(kOne, std::vector<Limit>{{.meter = {SourceId::kVhost, KS_METER_VHOST_KICK},
                                               .count = 10,
                                               .window_ns = kNsPerSecond}});
  EXPECT_EQ(CheckpointOf(own), 0U);
  EXPECT_EQ(CheckpointOf(other), 1000U);
}

}  // namespace
}  // namespace kvmsentry
