// vhost files of a VMM, on a kernel that has them.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "sensor/inventory/device_reader.h"
#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

TEST_F(BpfTest, VhostFilesOfAVmmAreKnownByTheirDeviceNumbers) {
  Load();
  if (HasFatalFailure()) return;
  const Fd kvm(open("/dev/kvm", O_RDWR | O_CLOEXEC));
  const Fd vm(ioctl(kvm.get(), KVM_CREATE_VM, 0));
  ASSERT_TRUE(vm);
  const Fd net(open("/dev/vhost-net", O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(net) << "load the module vhost_net";
  const Fd other_net(open("/dev/vhost-net", O_RDWR | O_CLOEXEC));
  const Fd same_net(fcntl(net.get(), F_DUPFD_CLOEXEC, 0));
  const Fd vsock(open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(vsock) << "load the module vhost_vsock";
  const Fd only_named(open("/dev/vhost-net", O_PATH | O_CLOEXEC));

  DeviceReader reader;
  ASSERT_OK(reader.ReadMiscDevices());
  ASSERT_OK_AND_ASSIGN(const DeviceList list,
                       reader.Read(getpid(), [this](int32_t pid, const auto& visit) {
                         return probe().WalkDevices(pid, visit);
                       }));
  std::vector<Device> vhost;
  for (const Device& device : list.devices) {
    if (device.kind != DeviceKind::kDisk) vhost.push_back(device);
  }
  ASSERT_EQ(vhost.size(), 3U);
  EXPECT_EQ(vhost[0].kind, DeviceKind::kVhostNet);
  EXPECT_EQ(vhost[0].name, "vhost-net");
  EXPECT_EQ(vhost[0].fd, static_cast<uint32_t>(net.get()));
  EXPECT_EQ(vhost[0].files, 2U);
  EXPECT_EQ(vhost[1].kind, DeviceKind::kVhostNet);
  EXPECT_EQ(vhost[1].fd, static_cast<uint32_t>(other_net.get()));
  EXPECT_NE(vhost[0].object, vhost[1].object);
  EXPECT_NE(vhost[0].object, 0U);
  EXPECT_EQ(vhost[2].kind, DeviceKind::kVhostVsock);
  EXPECT_EQ(vhost[2].name, "vhost-vsock");
}

}  // namespace
}  // namespace kvmsentry
