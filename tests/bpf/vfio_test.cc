// Ioctls on VFIO: of the VM of the process that makes them, or of nobody. Needs a device that
// vfio-pci drives.
#include <optional>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/bpf/fixture.h"
#include "tests/support/test_vm.h"
#include "tests/vmm/vfio_device.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr uint64_t kTimes = 300;
constexpr size_t kMemory = 1 << 20;

class VfioTest : public BpfTest, public ::testing::WithParamInterface<Variant> {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (HasFatalFailure()) return;
    objects_ = {"life", "vfio"};
    Load({{"vfio_device_fops_unl_ioctl", {GetParam()}}});
    if (HasFatalFailure()) return;
    container_ = Fd(open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(container_) << "the module vfio is not loaded";
    ASSERT_OK_AND_ASSIGN(TestMemory memory, TestMemory::Map(kMemory));
    memory_.emplace(std::move(memory));
  }

  void AskOften() {
    for (uint64_t i = 0; i < kTimes; ++i) {
      ASSERT_EQ(ioctl(container_.get(), VFIO_GET_API_VERSION), VFIO_API_VERSION);
    }
  }

  std::vector<uint32_t> TakeIoctls(Slot slot) { return sources_->vfio().TakeIoctls(PlaceOf(slot)); }

  Fd container_;
  std::optional<TestMemory> memory_;
};

INSTANTIATE_TEST_SUITE_P(By, VfioTest,
                         ::testing::Values(Variant::kFentry, Variant::kKprobe, Variant::kSysEnter),
                         [](const auto& test) { return std::string(VariantName(test.param)); });

TEST_P(VfioTest, OfAVmmAreItsVms) {
  AskOften();  // of a process without a VM
  ASSERT_OK_AND_ASSIGN(const TestVm vm, TestVm::Create(*memory_));
  AskOften();
  const Slot slot = SlotOf(getpid());
  EXPECT_EQ(VfioIoctlsIn(slot), kTimes);
  EXPECT_THAT(TakeIoctls(slot),
              ElementsAre(KS_IOCTL_MEMBER(KS_VFIO_CONTAINER, _IOC_NR(VFIO_GET_API_VERSION))));
  EXPECT_EQ(sources_->vfio().tables().losses().vfio_without_vm, kTimes);
  ExpectNoLosses();
}

TEST_P(VfioTest, OfADeviceAreToldApartFromThoseOfItsContainer) {
  ASSERT_OK_AND_ASSIGN(const TestVm vm, TestVm::Create(*memory_));
  ASSERT_OK_AND_ASSIGN(VfioDevice device, VfioDevice::Open());
  const auto of_container = [](uint32_t command) {
    return KS_IOCTL_MEMBER(KS_VFIO_CONTAINER, _IOC_NR(command));
  };
  const auto of_device = [](uint32_t command) {
    return KS_IOCTL_MEMBER(KS_VFIO_DEVICE, _IOC_NR(command));
  };
  const Slot slot = SlotOf(getpid());
  ASSERT_THAT(TakeIoctls(slot), UnorderedElementsAre(of_container(VFIO_GROUP_SET_CONTAINER),
                                                     of_container(VFIO_SET_IOMMU),
                                                     of_container(VFIO_GROUP_GET_DEVICE_FD)));
  for (uint64_t i = 0; i < kTimes; ++i) ASSERT_OK(device.Ask());
  ASSERT_OK(device.Reset());
  EXPECT_THAT(TakeIoctls(slot),
              UnorderedElementsAre(of_device(VFIO_DEVICE_GET_INFO), of_device(VFIO_DEVICE_RESET)));
  EXPECT_EQ(VfioIoctlsIn(slot), 3 + kTimes + 1);
  ExpectNoLosses();
}

TEST_P(VfioTest, OfAProcessWithTwoVmsAreNobodysAndSaid) {
  ASSERT_OK_AND_ASSIGN(const TestVm one, TestVm::Create(*memory_));
  ASSERT_OK_AND_ASSIGN(const TestVm two, TestVm::Create(*memory_));
  AskOften();
  for (const Slot slot : SlotsOf(getpid())) {
    EXPECT_EQ(VfioIoctlsIn(slot), 0U);
  }
  EXPECT_EQ(sources_->vfio().tables().losses().vfio_unattributed, kTimes);
}

}  // namespace
}  // namespace kvmsentry
