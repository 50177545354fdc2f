// What vhost does for a VM is counted exactly, by every variant, and for the right VM.
#include <algorithm>

#include <linux/vhost.h>

#include "absl/strings/match.h"

#include "tests/bpf/fixture.h"
#include "tests/support/child.h"
#include "tests/vhost/net_device.h"
#include "tests/vhost/vsock_device.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kKicks = 20;
constexpr uint16_t kFrames = 30;
constexpr size_t kMemory = 1 << 20;

using Variants = std::map<std::string, std::vector<Variant>>;

absl::Status SendOften(NetDevice& net, uint64_t kicks) {
  for (uint64_t i = 0; i < kicks; ++i) KVMSENTRY_RETURN_IF_ERROR(net.Send(kFrames));
  return net.Settle();
}

class VhostTest : public BpfTest {
 protected:
  VhostTest() { objects_ = {"life", "inventory", "vhost", "vhost_net", "vhost_vsock"}; }

  VhostCounts Own(size_t vm = 0) { return VhostCountsIn(SlotsOf(getpid()).at(vm)); }

  std::vector<const ks_queue_row*> QueuesIn(Slot slot) {
    std::vector<const ks_queue_row*> queues;
    for (const ks_queue_row& row : sources_->vhost().tables().queues()) {
      if (row.vm_serial == VmRow(slot).serial && row.queue != 0) queues.push_back(&row);
    }
    std::ranges::sort(queues, {}, &ks_queue_row::index);
    return queues;
  }
};

uint64_t Grown(const VhostCounts& before, const VhostCounts& after, ks_vhost_meter meter) {
  return after.count[meter] - before.count[meter];
}

Variants ForceProbes(const std::vector<Variant>& allowed) {
  Variants variants;
  for (const Hook& hook : Hooks()) {
    for (const Variant variant : allowed) {
      if (std::ranges::find(hook.variants, variant) != hook.variants.end()) {
        variants.try_emplace(std::string(hook.name), 1, variant);
      }
    }
  }
  return variants;
}

// Two probes count the same run, each by variants of its own.
class TwoProbesTest : public VhostTest {
 protected:
  void SetUp() override {
    VhostTest::SetUp();
    if (HasFatalFailure()) return;
    Load();
    other_options_ = options_;
    other_options_.pin_root += "-other";
    other_options_.variants = ForceProbes({Variant::kKprobe, Variant::kKretprobe, Variant::kRawTp});
    // Of the two kinds of device, one each.
    other_options_.variants["vhost_net_ioctl"] = {Variant::kSysExit};
    ASSERT_OK_AND_ASSIGN(other_, Sources::Open(other_options_));
  }
  void TearDown() override {
    other_.reset();
    EXPECT_EQ(Unpin(other_options_.pin_root), absl::OkStatus());
    VhostTest::TearDown();
  }

  void ExpectVariants() {
    std::map<absl::string_view, std::string> mine;
    for (const HookCoverage& hook : probe().coverage()) mine[hook.hook->name] = hook.variant;
    for (const HookCoverage& hook : other_->probe().coverage()) {
      if (!absl::StartsWith(hook.hook->module, "vhost")) continue;
      if (hook.hook->variants.size() < 2) continue;
      const bool weak = hook.hook->name == "vhost_net_ioctl";
      EXPECT_EQ(hook.coverage, weak ? Coverage::kDegraded : Coverage::kAttached)
          << hook.hook->name << ": " << hook.reason;
      // Trampolines carry no more than six arguments before Linux 6.6, and this has seven.
      if (hook.hook->name == "vhost_get_vq_desc") continue;
      EXPECT_NE(hook.variant, mine[hook.hook->name]) << hook.hook->name;
    }
  }

  void ExpectBothAlike() {
    const VhostCounts mine = Own();
    const auto all = other_->kvm().tables().CopyVms();
    const auto own =
        std::ranges::find(all, static_cast<uint32_t>(getpid()), &ks_vm_row::creator_pid);
    ASSERT_NE(own, all.end());
    const VhostCounts others = other_->vhost().tables().CountsOf({{own->serial}, own->slot});
    for (uint32_t meter = 0; meter < KS_VHOST_METERS; ++meter) {
      EXPECT_EQ(mine.count[meter], others.count[meter]) << "meter " << meter;
    }
  }

  ProbeOptions other_options_;
  std::unique_ptr<Sources> other_;
};

TEST_F(TwoProbesTest, EveryKickTurnAndSignalOfNetCounts) {
  ExpectVariants();
  ASSERT_OK_AND_ASSIGN(const TestMachine machine, TestMachine::Create(kMemory));
  ASSERT_OK_AND_ASSIGN(NetDevice net, NetDevice::Open(*machine.memory));
  const VhostCounts before = Own();
  EXPECT_EQ(before.count[KS_METER_VHOST_CONFIG], net.vhost().ioctls());
  EXPECT_EQ(before.queues, 2U);
  net.vhost().TakeCalls(NetDevice::kTx);
  ASSERT_OK(SendOften(net, kKicks));
  VhostCounts after = Own();
  EXPECT_EQ(Grown(before, after, KS_METER_VHOST_KICK), kKicks);
  EXPECT_EQ(Grown(before, after, KS_METER_VHOST_RUN), kKicks);
  EXPECT_EQ(Grown(before, after, KS_METER_VHOST_SIGNAL), net.vhost().TakeCalls(NetDevice::kTx));
  EXPECT_EQ(Grown(before, after, KS_METER_VHOST_SIGNAL), kKicks);
  EXPECT_EQ(after.count[KS_METER_VHOST_CONFIG], net.vhost().ioctls());
  EXPECT_EQ(after.count[KS_METER_VHOST_BAD_DESCRIPTOR], 0U);
  for (uint64_t i = 0; i < kKicks; ++i) ASSERT_OK(net.SendNonsense());
  ASSERT_OK(net.Settle());
  after = Own();
  EXPECT_EQ(after.count[KS_METER_VHOST_BAD_DESCRIPTOR], kKicks);
  EXPECT_EQ(Grown(before, after, KS_METER_VHOST_KICK), 2 * kKicks);
  EXPECT_EQ(Grown(before, after, KS_METER_VHOST_SIGNAL), kKicks);
  ExpectBothAlike();
  ExpectNoLosses();
}

TEST_F(TwoProbesTest, EveryByteOfVsockCounts) {
  ASSERT_OK_AND_ASSIGN(const TestMachine machine, TestMachine::Create(kMemory));
  ASSERT_OK_AND_ASSIGN(VsockDevice vsock, VsockDevice::Open(*machine.memory, 77));
  ASSERT_OK(vsock.Connect());
  EXPECT_EQ(Own().count[KS_METER_VSOCK_RX_BYTES], 0U);
  EXPECT_EQ(Own().count[KS_METER_VSOCK_TX_BYTES], 0U);
  ASSERT_OK(vsock.HostSends(12345));
  ASSERT_OK(vsock.GuestSends(1000));
  ASSERT_OK(vsock.GuestSends(777));
  ASSERT_OK(vsock.vhost().SetMemory(*machine.memory));
  const VhostCounts counts = Own();
  EXPECT_EQ(counts.count[KS_METER_VSOCK_RX_BYTES], 12345U);
  EXPECT_EQ(counts.count[KS_METER_VSOCK_TX_BYTES], 1777U);
  EXPECT_EQ(counts.count[KS_METER_VHOST_CONFIG], vsock.vhost().ioctls());
  EXPECT_GT(counts.count[KS_METER_VHOST_RUN], 0U);
  EXPECT_GT(counts.count[KS_METER_VHOST_SIGNAL], 0U);
  for (const ks_queue_row* queue : QueuesIn(counts.vm.slot)) {
    EXPECT_EQ(queue->kind, static_cast<uint32_t>(KS_QUEUE_VSOCK));
  }
  ExpectBothAlike();
  ExpectNoLosses();
}

TEST_F(VhostTest, ARowHoldsTheConfigurationThatTheKernelTook) {
  Load();
  ASSERT_OK_AND_ASSIGN(const TestMachine machine, TestMachine::Create(kMemory));
  ASSERT_OK_AND_ASSIGN(NetDevice net, NetDevice::Open(*machine.memory));
  const auto queues = QueuesIn(SlotOf(getpid()));
  ASSERT_EQ(queues.size(), 2U);
  const ks_queue_row& tx = *queues[1];
  EXPECT_EQ(tx.kind, static_cast<uint32_t>(KS_QUEUE_NET));
  EXPECT_EQ(tx.index, 1U);
  EXPECT_EQ(tx.num, Ring::kSize);
  EXPECT_EQ(tx.regions, 1U);
  EXPECT_EQ(tx.desc, machine.memory->address() + Ring::kBytes);
  EXPECT_EQ(tx.desc, reinterpret_cast<uint64_t>(net.tx().descriptors()));
  EXPECT_EQ(tx.avail, reinterpret_cast<uint64_t>(net.tx().available()));
  EXPECT_EQ(tx.used, reinterpret_cast<uint64_t>(net.tx().used()));
  EXPECT_EQ(tx.features, 1ULL << VHOST_NET_F_VIRTIO_NET_HDR);
  EXPECT_EQ(tx.log_base, 0U);
  EXPECT_EQ(tx.log_used, 0U);
  std::vector<std::byte> log(kMemory / 4096);
  ASSERT_OK(net.vhost().Set(VHOST_SET_LOG_BASE, reinterpret_cast<uint64_t>(log.data()),
                            "VHOST_SET_LOG_BASE"));
  EXPECT_EQ(tx.log_base, reinterpret_cast<uint64_t>(log.data()));
}

TEST_F(VhostTest, TwoVmsInTwoProcessesAreCountedApart) {
  Load();
  ASSERT_OK_AND_ASSIGN(
      Child child, Child::Fork([](const Child::Pause& pause) -> absl::Status {
        KVMSENTRY_ASSIGN_OR_RETURN(const TestMachine machine, TestMachine::Create(kMemory));
        KVMSENTRY_ASSIGN_OR_RETURN(NetDevice net, NetDevice::Open(*machine.memory));
        pause();
        KVMSENTRY_RETURN_IF_ERROR(SendOften(net, 3 * kKicks));
        pause();
        return absl::OkStatus();
      }));
  ASSERT_OK_AND_ASSIGN(const TestMachine machine, TestMachine::Create(kMemory));
  ASSERT_OK_AND_ASSIGN(NetDevice net, NetDevice::Open(*machine.memory));
  ASSERT_OK(child.AwaitPause());
  const VhostCounts own = Own();
  const VhostCounts childs = VhostCountsIn(SlotOf(child.pid()));
  ASSERT_OK(child.Continue());
  ASSERT_OK(SendOften(net, kKicks));
  ASSERT_OK(child.AwaitPause());
  EXPECT_EQ(Grown(own, Own(), KS_METER_VHOST_KICK), kKicks);
  EXPECT_EQ(Grown(own, Own(), KS_METER_VHOST_RUN), kKicks);
  EXPECT_EQ(Grown(childs, VhostCountsIn(SlotOf(child.pid())), KS_METER_VHOST_KICK), 3 * kKicks);
  EXPECT_EQ(Grown(childs, VhostCountsIn(SlotOf(child.pid())), KS_METER_VHOST_RUN), 3 * kKicks);
  ASSERT_OK(child.Finish());
  ExpectNoLosses();
}

TEST_F(VhostTest, TwoVmsInOneProcessAreToldApartByTheirMemory) {
  Load();
  ASSERT_OK_AND_ASSIGN(const TestMachine first, TestMachine::Create(kMemory));
  ASSERT_OK_AND_ASSIGN(const TestMachine second, TestMachine::Create(kMemory));
  ASSERT_EQ(SlotsOf(getpid()).size(), 2U);
  ASSERT_OK_AND_ASSIGN(NetDevice of_second, NetDevice::Open(*second.memory));
  ASSERT_OK_AND_ASSIGN(NetDevice of_first, NetDevice::Open(*first.memory));
  // Before its rings are set, nobody can tell whose a device is.
  EXPECT_GT(sources_->vhost().tables().losses().queue_unattributed, 0U);
  const uint64_t unattributed = sources_->vhost().tables().losses().queue_unattributed;
  const VhostCounts first_before = Own(0);
  const VhostCounts second_before = Own(1);
  ASSERT_OK(SendOften(of_first, kKicks));
  ASSERT_OK(SendOften(of_second, 2 * kKicks));
  EXPECT_EQ(Grown(first_before, Own(0), KS_METER_VHOST_KICK), kKicks);
  EXPECT_EQ(Grown(second_before, Own(1), KS_METER_VHOST_KICK), 2 * kKicks);
  EXPECT_EQ(sources_->vhost().tables().losses().queue_unattributed, unattributed);
}

TEST_F(VhostTest, ARingThatMovesToAnotherVmsMemoryIsThatVms) {
  Load();
  ASSERT_OK_AND_ASSIGN(const TestMachine first, TestMachine::Create(kMemory));
  ASSERT_OK_AND_ASSIGN(const TestMachine second, TestMachine::Create(kMemory));
  ASSERT_OK_AND_ASSIGN(const TestMemory nobodys, TestMemory::Map(kMemory));
  ASSERT_OK_AND_ASSIGN(NetDevice net, NetDevice::Open(*first.memory));
  VhostDevice& device = net.vhost();
  const Ring moved(second.memory->bytes(), 0);
  ASSERT_OK(device.SetAddresses(NetDevice::kRx, moved));
  ASSERT_OK(device.Kick(NetDevice::kRx));
  EXPECT_EQ(Own(0).count[KS_METER_VHOST_KICK], 0U);
  EXPECT_EQ(Own(1).count[KS_METER_VHOST_KICK], 1U);
  const uint64_t unattributed = sources_->vhost().tables().losses().queue_unattributed;
  const Ring lost(nobodys.bytes(), 0);
  ASSERT_OK(device.SetAddresses(NetDevice::kRx, lost));
  EXPECT_GT(sources_->vhost().tables().losses().queue_unattributed, unattributed);
  ASSERT_OK(device.Kick(NetDevice::kRx));
  EXPECT_EQ(Own(0).count[KS_METER_VHOST_KICK], 0U);
  EXPECT_EQ(Own(1).count[KS_METER_VHOST_KICK], 1U);
}

TEST_F(VhostTest, ADeviceWithoutAVmIsNobodysAndCounted) {
  Load();
  ASSERT_OK_AND_ASSIGN(const TestMemory memory, TestMemory::Map(kMemory));
  ASSERT_OK_AND_ASSIGN(Child other, Child::Fork([](const Child::Pause& pause) -> absl::Status {
                         KVMSENTRY_ASSIGN_OR_RETURN(const TestMachine machine,
                                                    TestMachine::Create(kMemory));
                         pause();
                         return absl::OkStatus();
                       }));
  ASSERT_OK(other.AwaitPause());
  {
    // As every VMM does before its VM has a vCPU.
    ASSERT_OK_AND_ASSIGN(VhostDevice device, VhostDevice::Open("/dev/vhost-net"));
    ASSERT_OK(device.SetFeatures(0));
    ASSERT_OK(device.SetMemory(memory));
    ExpectNoLosses();
  }
  ASSERT_OK_AND_ASSIGN(NetDevice net, NetDevice::Open(memory));
  const uint64_t before = sources_->vhost().tables().losses().queue_without_vm;
  ASSERT_OK(SendOften(net, kKicks));
  EXPECT_GE(sources_->vhost().tables().losses().queue_without_vm,
            before + 3 * kKicks);  // kicks, turns, signals
  for (const ks_queue_row& row : sources_->vhost().tables().queues()) EXPECT_EQ(row.vm_serial, 0U);
  EXPECT_EQ(CountsOf(other.pid()).count[KS_METER_VHOST_KICK], 0U);
  // With a VM, it is that VM's from then on.
  ASSERT_OK_AND_ASSIGN(const TestVm vm, TestVm::Create(memory));
  ASSERT_OK(SendOften(net, kKicks));
  EXPECT_EQ(Own().count[KS_METER_VHOST_KICK], kKicks);
  ASSERT_OK(other.Finish());
}

TEST_F(VhostTest, ADeviceThatWasThereBeforeTheSensorIsCounted) {
  ASSERT_OK_AND_ASSIGN(const TestMachine machine, TestMachine::Create(kMemory));
  ASSERT_OK_AND_ASSIGN(NetDevice net, NetDevice::Open(*machine.memory));
  ASSERT_OK_AND_ASSIGN(VsockDevice vsock, VsockDevice::Open(*machine.memory, 78));
  ASSERT_OK(vsock.Connect());
  Load();
  ASSERT_OK(probe().WalkOpenFiles());
  ASSERT_OK(SendOften(net, kKicks));
  EXPECT_EQ(Own().count[KS_METER_VHOST_KICK], kKicks);
  EXPECT_EQ(Own().count[KS_METER_VHOST_RUN], kKicks);
  EXPECT_EQ(Own().count[KS_METER_VHOST_SIGNAL], kKicks);
  ASSERT_OK(vsock.GuestSends(100));
  ASSERT_OK(vsock.HostSends(50));
  EXPECT_EQ(Own().count[KS_METER_VSOCK_TX_BYTES], 100U);
  EXPECT_EQ(Own().count[KS_METER_VSOCK_RX_BYTES], 50U);
  ExpectNoLosses();
}

// There is one slot: the next VM of the host gets that of the device's.
TEST_F(VhostTest, ADeviceThatOutlivesItsVmIsNotTheNextOnes) {
  options_.sizes.max_vms = 1;
  Load();
  ASSERT_OK_AND_ASSIGN(const TestMemory memory, TestMemory::Map(kMemory));
  ASSERT_OK_AND_ASSIGN(NetDevice net, [&]() -> absl::StatusOr<NetDevice> {
    KVMSENTRY_ASSIGN_OR_RETURN(const TestVm vm, TestVm::Create(memory));
    KVMSENTRY_ASSIGN_OR_RETURN(NetDevice device, NetDevice::Open(memory));
    KVMSENTRY_RETURN_IF_ERROR(SendOften(device, kKicks));
    return device;
  }());
  const Slot slot = SlotOf(getpid());
  EXPECT_EQ(VhostCountsIn(slot).count[KS_METER_VHOST_KICK], kKicks);
  EXPECT_EQ(sources_->Release(PlaceOf(slot)), absl::OkStatus());
  ASSERT_OK_AND_ASSIGN(Child next, Child::Fork([](const Child::Pause& pause) -> absl::Status {
                         KVMSENTRY_ASSIGN_OR_RETURN(const TestMachine machine,
                                                    TestMachine::Create(kMemory));
                         pause();
                         return absl::OkStatus();
                       }));
  ASSERT_OK(next.AwaitPause());
  ASSERT_EQ(SlotOf(next.pid()), slot);
  const uint64_t before = sources_->vhost().tables().losses().queue_without_vm;
  ASSERT_OK(SendOften(net, kKicks));
  EXPECT_EQ(sources_->vhost().tables().losses().queue_without_vm,
            before);  // it was counted as long as its VM lived
  EXPECT_EQ(VhostCountsIn(slot).count[KS_METER_VHOST_KICK], 0U);
  ASSERT_OK(next.Finish());
}

// Closed and opened again, more often than there are slots: sums never go back.
TEST_F(VhostTest, SlotsOfClosedDevicesAreUsedAgainAndTheirCountsStay) {
  options_.sizes.max_queues = 4;
  Load();
  ASSERT_OK_AND_ASSIGN(const TestMachine machine, TestMachine::Create(kMemory));
  uint64_t ioctls = 0;
  for (int i = 1; i <= 8; ++i) {
    {
      ASSERT_OK_AND_ASSIGN(NetDevice net, NetDevice::Open(*machine.memory));
      ASSERT_OK(SendOften(net, 1));
      ioctls += net.vhost().ioctls();
      EXPECT_EQ(Own().queues, 2U);
    }
    ASSERT_TRUE(WaitUntil([&] { return Own().queues == 0; }));
    sources_->vhost().tables().FoldQueues();
    EXPECT_EQ(Own().count[KS_METER_VHOST_CONFIG], ioctls);
    sources_->vhost().tables().FoldQueues();
    EXPECT_EQ(Own().count[KS_METER_VHOST_CONFIG], ioctls);
    EXPECT_EQ(Own().count[KS_METER_VHOST_KICK], static_cast<uint64_t>(i));
  }
  ExpectNoLosses();
}

TEST_F(VhostTest, AQueueBeyondTheMaximumIsALoss) {
  options_.sizes.max_queues = 1;
  Load();
  ASSERT_OK_AND_ASSIGN(const TestMachine machine, TestMachine::Create(kMemory));
  ASSERT_OK_AND_ASSIGN(NetDevice net, NetDevice::Open(*machine.memory));
  EXPECT_EQ(Own().queues, 1U);
  EXPECT_GT(sources_->vhost().tables().losses().no_queue_slot, 0U);
}

TEST_F(VhostTest, ALimitOnKicksIsTold) {
  Load();
  ASSERT_OK_AND_ASSIGN(const TestMachine machine, TestMachine::Create(kMemory));
  ASSERT_OK_AND_ASSIGN(NetDevice net, NetDevice::Open(*machine.memory));
  const Slot slot = SlotOf(getpid());
  const Limit limit{.meter = {SourceId::kVhost, KS_METER_VHOST_BAD_DESCRIPTOR},
                    .count = 3,
                    .window_ns = 60'000'000'000};
  sources_->vhost().Watch(PlaceOf(slot), std::vector{limit});
  for (int i = 0; i < 3; ++i) ASSERT_OK(net.SendNonsense());
  ASSERT_OK(net.Settle());
  EXPECT_TRUE(TakeLimitRecords(VmIn(slot)).empty());
  ASSERT_OK(net.SendNonsense());
  ASSERT_OK(net.Settle());
  const auto records = TakeLimitRecords(VmIn(slot));
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].meter, static_cast<uint32_t>(KS_METER_VHOST_BAD_DESCRIPTOR));
  EXPECT_EQ(records[0].counted, 4U);
  EXPECT_EQ(records[0].part_index, NetDevice::kTx);
}

}  // namespace
}  // namespace kvmsentry
