// What the walk over a VMM's files takes for devices. The test itself is the VMM.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/loop.h>
#include <net/if.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sensor/inventory/device_reader.h"
#include "tests/bpf/fixture.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

Fd Open(const std::string& path, int flags) {
  Fd fd(open(path.c_str(), flags | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_TRUE(fd) << path << ": " << strerror(errno);
  return fd;
}

// Large enough to be an image.
Fd OpenImage(const std::string& path, int flags = O_RDWR) {
  Fd writer = Open(path, O_RDWR);
  EXPECT_EQ(ftruncate(writer.get(), 1 << 20), 0);
  return Open(path, flags);
}

// A VM without vCPUs.
Fd MakeVm() {
  const Fd kvm(open("/dev/kvm", O_RDWR | O_CLOEXEC));
  Fd vm(ioctl(kvm.get(), KVM_CREATE_VM, 0));
  EXPECT_TRUE(vm) << strerror(errno);
  return vm;
}

// A queue of the tap NAME, through the device node PATH.
Fd AttachTap(const std::string& path, const std::string& name) {
  Fd tap(open(path.c_str(), O_RDWR | O_CLOEXEC));
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  EXPECT_EQ(ioctl(tap.get(), TUNSETIFF, &request), 0)
      << path << ": " << strerror(errno) << ": load the module tun";
  return tap;
}

// A block device over IMAGE that goes with its last descriptor.
Fd AttachLoop(const Fd& image) {
  const Fd control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
  Fd loop(open(absl::StrCat("/dev/loop", number).c_str(), O_RDWR | O_CLOEXEC));
  loop_config config{};
  config.fd = static_cast<uint32_t>(image.get());
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
  EXPECT_EQ(ioctl(loop.get(), LOOP_CONFIGURE, &config), 0)
      << "loop" << number << ": " << strerror(errno) << ": load the module loop";
  return loop;
}

struct stat StatOf(const Fd& fd) {
  struct stat stat {};
  EXPECT_EQ(fstat(fd.get(), &stat), 0);
  return stat;
}

auto Is(DeviceKind kind, const std::string& name) {
  return AllOf(Field("kind", &Device::kind, kind), Field("name", &Device::name, name));
}

class DeviceTest : public BpfTest {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(folder_, TempDir::Make());
    ASSERT_NO_FATAL_FAILURE(Load());
  }

  DeviceList Read() {
    EXPECT_EQ(reader_.ReadMiscDevices(), absl::OkStatus());
    const auto list = reader_.Read(getpid(), [this](int32_t pid, const auto& visit) {
      return probe().WalkDevices(pid, visit);
    });
    EXPECT_TRUE(list.ok()) << list.status();
    return list.value_or(DeviceList{});
  }

  // Without those that the test was started with.
  std::vector<Device> Devices() {
    std::vector<Device> devices = Read().devices;
    std::erase_if(devices, [this](const Device& device) {
      return device.fd < static_cast<uint32_t>(mine_.get());
    });
    return devices;
  }

  std::string File(absl::string_view name) { return *folder_ / name; }
  static std::string TapName(absl::string_view role) { return absl::StrCat("ks", role, getpid()); }

  const Fd mine_{open("/dev/null", O_RDONLY | O_CLOEXEC)};  // later descriptors are the test's
  DeviceReader reader_;
  std::optional<TempDir> folder_;
};

TEST_F(DeviceTest, AVmmsTapAndDisksAreFoundAndTheSameFilesOfAnyOtherProcessAreNot) {
  const std::string tap_name = TapName("a");
  const Fd tap = AttachTap("/dev/net/tun", tap_name);
  const Fd image = OpenImage(File("disk\n.img"));
  const Fd read_only = OpenImage(File("cd.iso"), O_RDONLY);
  const Fd loop = AttachLoop(OpenImage(File("below")));
  EXPECT_THAT(Devices(), IsEmpty());  // this process is no VMM yet

  const Fd vm = MakeVm();
  const std::vector<Device> devices = Devices();
  ASSERT_THAT(devices, ElementsAre(Is(DeviceKind::kTap, tap_name),
                                   Is(DeviceKind::kDisk, File("disk\\x0a.img")),
                                   Is(DeviceKind::kDisk, File("cd.iso")),
                                   Is(DeviceKind::kDisk, devices.back().name)));
  EXPECT_EQ(devices[0].major, 10U);
  EXPECT_EQ(devices[0].minor, 200U);
  EXPECT_NE(devices[0].object, 0U);
  EXPECT_EQ(devices[1].fd, static_cast<uint32_t>(image.get()));
  EXPECT_EQ(devices[1].pid, getpid());
  EXPECT_EQ(devices[1].inode, StatOf(image).st_ino);
  EXPECT_EQ(makedev(devices[1].major, devices[1].minor), StatOf(image).st_dev);
  EXPECT_TRUE(devices[1].writable);
  EXPECT_FALSE(devices[1].block);
  EXPECT_FALSE(devices[2].writable);
  EXPECT_TRUE(devices[3].block);
  EXPECT_EQ(makedev(devices[3].major, devices[3].minor), StatOf(loop).st_rdev);
  EXPECT_THAT(devices[3].name, ::testing::StartsWith("/dev/loop"));
}

// For /proc/PID/fd is closed to all but root and the VMM's own user.
TEST_F(DeviceTest, TheKernelSaysTheNameOfADiskItself) {
  const Fd image = OpenImage(File("disk.img"));
  const std::string longer = File(std::string(250, 'x'));
  const Fd far = OpenImage(longer);
  const Fd vm = MakeVm();
  std::map<uint32_t, std::string> paths;
  ASSERT_OK(probe().WalkDevices(getpid(), [&](const ks_open_device& file) {
    paths[file.fd] = std::string(file.path, strnlen(file.path, sizeof(file.path)));
  }));
  EXPECT_EQ(paths.at(static_cast<uint32_t>(image.get())), File("disk.img"));
  EXPECT_EQ(paths.at(static_cast<uint32_t>(far.get())), "");
  EXPECT_THAT(Devices(), ::testing::Contains(Is(DeviceKind::kDisk, longer)));  // by /proc
}

TEST_F(DeviceTest, WhatIsPluggedAndUnpluggedShowsWithTheNextWalk) {
  const Fd vm = MakeVm();
  EXPECT_THAT(Devices(), IsEmpty());
  Fd image = OpenImage(File("disk"));
  EXPECT_THAT(Devices(), ElementsAre(Is(DeviceKind::kDisk, File("disk"))));
  image.reset();
  EXPECT_THAT(Devices(), IsEmpty());
}

TEST_F(DeviceTest, WhereKvmTellsOfWritesByAnEventfdIsAWindow) {
  const Fd vm = MakeVm();
  EXPECT_THAT(Read().windows, IsEmpty());
  const Fd event(eventfd(0, EFD_CLOEXEC));
  kvm_ioeventfd request{};
  request.fd = event.get();
  const auto set = [&](uint64_t address, uint32_t bytes, uint32_t flags) {
    request.addr = address;
    request.len = bytes;
    request.flags = flags;
    EXPECT_EQ(ioctl(vm.get(), KVM_IOEVENTFD, &request), 0) << strerror(errno);
  };
  set(0xfe003004, 2, 0);
  set(0xfe003000, 2, 0);
  set(0xc050, 2, KVM_IOEVENTFD_FLAG_PIO);
  EXPECT_THAT(Read().windows, ElementsAre(WriteWindow{false, 0xfe003000, 0xfe003005},
                                          WriteWindow{true, 0xc050, 0xc051}));
  set(0xc050, 2, KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DEASSIGN);
  EXPECT_THAT(Read().windows, ElementsAre(WriteWindow{false, 0xfe003000, 0xfe003005}));
}

TEST_F(DeviceTest, LogsMemoryAndTemporaryFilesAreNoDisks) {
  const Fd vm = MakeVm();
  const Fd log = OpenImage(File("log"), O_RDWR | O_APPEND);
  const Fd trace = OpenImage(File("trace"), O_WRONLY);
  const Fd pid_file = Open(File("pid"), O_RDWR);
  ASSERT_EQ(write(pid_file.get(), "4711\n", 5), 5);
  const Fd deleted = OpenImage(File("deleted"));
  ASSERT_EQ(unlink(File("deleted").c_str()), 0);
  const Fd memory(memfd_create("disk.img", MFD_CLOEXEC));
  ASSERT_EQ(ftruncate(memory.get(), 1 << 20), 0);
  const Fd only_named(open(File("log").c_str(), O_PATH | O_CLOEXEC));
  const Fd view(open("/sys/kernel/uevent_seqnum", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(view);
  EXPECT_THAT(Devices(), IsEmpty());
}

TEST_F(DeviceTest, AFileOnTmpfsIsADiskUntilItIsMappedAsMemory) {
  const std::string path = absl::StrCat("/dev/shm/", TapName("mem"));
  const Fd vm = MakeVm();
  const Fd file = OpenImage(path);
  EXPECT_THAT(Devices(), ElementsAre(Is(DeviceKind::kDisk, path)));
  void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  EXPECT_NE(memory, MAP_FAILED);
  EXPECT_THAT(Devices(), ElementsAre(Is(DeviceKind::kMemory, path)));
  munmap(memory, 4096);
  EXPECT_THAT(Devices(), ElementsAre(Is(DeviceKind::kDisk, path)));
  unlink(path.c_str());
}

// Without a name that could be opened; but by /proc/PID/fd it can.
TEST_F(DeviceTest, AMemfdThatIsMappedIsMemory) {
  const Fd vm = MakeVm();
  const Fd file(memfd_create("ram", MFD_CLOEXEC));
  ASSERT_EQ(ftruncate(file.get(), 1 << 20), 0);
  EXPECT_THAT(Devices(), IsEmpty());
  void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  EXPECT_NE(memory, MAP_FAILED);
  EXPECT_THAT(Devices(), ElementsAre(Is(DeviceKind::kMemory, "/memfd:ram (deleted)")));
  munmap(memory, 4096);
}

TEST_F(DeviceTest, ATapIsKnownByItsDeviceNumberAndNotByItsName) {
  const Fd vm = MakeVm();
  const Fd file = Open(File("tun"), O_RDWR);
  const Fd kvm_file = Open(File("kvm-vm"), O_RDWR);
  const Fd unattached(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(unattached);
  EXPECT_THAT(Devices(), IsEmpty());
  // As in a container.
  ASSERT_EQ(mknod(File("harmless").c_str(), S_IFCHR | 0600, makedev(10, 200)), 0);
  const std::string name = TapName("q");
  const Fd first = AttachTap(File("harmless"), name);
  const Fd second = AttachTap("/dev/net/tun", name);
  const std::vector<Device> devices = Devices();
  ASSERT_THAT(devices, ElementsAre(Is(DeviceKind::kTap, name)));
  EXPECT_EQ(devices[0].files, 2U);
}

TEST_F(DeviceTest, AProcessThatIsGoneHasNoDevices) {
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour pio --count 1 --then exit"));
  size_t seen = 0;
  ASSERT_OK(probe().WalkDevices(guest.pid, [&](const ks_open_device&) { ++seen; }));
  EXPECT_EQ(seen, 0U);
}

}  // namespace
}  // namespace kvmsentry
