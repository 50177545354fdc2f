// KVM's uevents as this kernel sends them, of VMs that the test makes.
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/kvm.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/inventory/uevent.h"

namespace kvmsentry {
namespace {

using Kind = KvmUevent::Kind;

// KVM's events of VMs that this thread made; others make VMs, too.
std::vector<KvmUevent> WaitForOurs(UeventSocket* socket, size_t count) {
  std::vector<KvmUevent> ours;
  pollfd wait{socket->fd(), POLLIN, 0};
  while (ours.size() < count && poll(&wait, 1, 5000) == 1) {
    const auto batch = socket->Read();
    EXPECT_TRUE(batch.ok()) << batch.status();
    if (!batch.ok()) break;
    for (const KvmUevent& event : batch->events) {
      if (event.pid == gettid()) ours.push_back(event);
    }
  }
  return ours;
}

class UeventLiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto socket = UeventSocket::Open();
    ASSERT_TRUE(socket.ok()) << socket.status();
    socket_.emplace(*std::move(socket));
    kvm_ = Fd(open("/dev/kvm", O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(kvm_) << "needs /dev/kvm: load the kvm module, and run as root";
  }
  std::optional<UeventSocket> socket_;
  Fd kvm_;
};

TEST_F(UeventLiveTest, EveryBirthAndDeathIsTold) {
  Fd first(ioctl(kvm_.get(), KVM_CREATE_VM, 0));
  Fd second(ioctl(kvm_.get(), KVM_CREATE_VM, 0));
  ASSERT_TRUE(first && second);
  first.reset();
  second.reset();
  const auto events = WaitForOurs(&*socket_, 4);
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].kind, Kind::kCreate);
  EXPECT_EQ(events[1].kind, Kind::kCreate);
  EXPECT_EQ(events[2].kind, Kind::kDestroy);
  EXPECT_EQ(events[3].kind, Kind::kDestroy);
  EXPECT_GE(events[0].alive, 1U);
  EXPECT_GT(events[1].created, events[0].created);
}

// Why the inventory asks KVM's COUNT before it believes a walk.
TEST_F(UeventLiveTest, AVmWithoutAnyDescriptorLivesWhileAVcpuIsMapped) {
  Fd vm(ioctl(kvm_.get(), KVM_CREATE_VM, 0));
  ASSERT_TRUE(vm);
  Fd vcpu(ioctl(vm.get(), KVM_CREATE_VCPU, 0));
  ASSERT_TRUE(vcpu);
  const auto size = static_cast<size_t>(ioctl(kvm_.get(), KVM_GET_VCPU_MMAP_SIZE, 0));
  void* run = mmap(nullptr, size, PROT_READ, MAP_SHARED, vcpu.get(), 0);
  ASSERT_NE(run, MAP_FAILED);
  vm.reset();
  vcpu.reset();
  Fd(ioctl(kvm_.get(), KVM_CREATE_VM, 0)).reset();
  auto events = WaitForOurs(&*socket_, 3);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].kind, Kind::kCreate);
  EXPECT_EQ(events[1].kind, Kind::kCreate);  // had it died, this would be its end
  EXPECT_EQ(events[2].kind, Kind::kDestroy);
  ASSERT_EQ(munmap(run, size), 0);
  events = WaitForOurs(&*socket_, 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::kDestroy);
}

TEST_F(UeventLiveTest, WhatAProcessSendsToTheGroupIsIgnored) {
  const Fd sender(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT));
  ASSERT_TRUE(sender);
  const std::string message = std::string("change@/devices/virtual/misc/kvm") + '\0' +
                              "CREATED=18446744073709551615" + '\0' + "COUNT=900" + '\0' +
                              "EVENT=create" + '\0' + "PID=" + std::to_string(gettid()) + '\0';
  ASSERT_TRUE(ParseKvmUevent(message).has_value());
  sockaddr_nl group{};
  group.nl_family = AF_NETLINK;
  group.nl_groups = 1;
  ASSERT_EQ(sendto(sender.get(), message.data(), message.size(), 0,
                   reinterpret_cast<const sockaddr*>(&group), sizeof(group)),
            static_cast<ssize_t>(message.size()))
      << "needs CAP_NET_ADMIN: run as root";
  // A real one after it, so that its absence is no matter of time.
  Fd vm(ioctl(kvm_.get(), KVM_CREATE_VM, 0));
  ASSERT_TRUE(vm);
  const auto events = WaitForOurs(&*socket_, 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_LT(events[0].created, UINT64_MAX);
}

TEST_F(UeventLiveTest, AnOverrunIsSaidOnceAndNothingOlderThanItIsTold) {
  const int smallest = 1;
  ASSERT_EQ(setsockopt(socket_->fd(), SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest)), 0);
  for (int i = 0; i < 64; ++i) Fd(ioctl(kvm_.get(), KVM_CREATE_VM, 0)).reset();
  const auto batch = socket_->Read();
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_TRUE(batch->overrun);
  EXPECT_TRUE(batch->events.empty());
  EXPECT_FALSE(socket_->Read()->overrun);
  // Its birth alone: some kernels' events are so long that the smallest buffer has no room for a
  // second.
  const Fd vm(ioctl(kvm_.get(), KVM_CREATE_VM, 0));
  ASSERT_TRUE(vm);
  EXPECT_FALSE(WaitForOurs(&*socket_, 1).empty());
}

}  // namespace
}  // namespace kvmsentry
