#include "sensor/inventory/uevent.h"

#include <string>

#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"

namespace kvmsentry {
namespace {

using Kind = KvmUevent::Kind;

// As a kernel 6.18 sent it; '|' stands for NUL.
constexpr char kCreate[] =
    "change@/devices/virtual/misc/kvm|ACTION=change|DEVPATH=/devices/virtual/misc/kvm|"
    "SUBSYSTEM=misc|CREATED=5|COUNT=2|EVENT=create|PID=4878|STATS_PATH=/kvm/4878-6|MAJOR=10|"
    "MINOR=232|DEVNAME=kvm|SEQNUM=827|";

std::string Message(std::string text) {
  for (char& c : text) c = c == '|' ? '\0' : c;
  return text;
}

std::string Changed(absl::string_view from, absl::string_view to) {
  return Message(absl::StrReplaceAll(kCreate, {{from, to}}));
}

TEST(ParseKvmUeventTest, ReadsKvms) {
  EXPECT_EQ(ParseKvmUevent(Message(kCreate)), (KvmUevent{Kind::kCreate, 5, 2, 4878}));
  EXPECT_EQ(ParseKvmUevent(Changed("EVENT=create", "EVENT=destroy")),
            (KvmUevent{Kind::kDestroy, 5, 2, 4878}));
  // Without debugfs.
  EXPECT_EQ(ParseKvmUevent(Changed("STATS_PATH=/kvm/4878-6|", "")),
            (KvmUevent{Kind::kCreate, 5, 2, 4878}));
  EXPECT_EQ(ParseKvmUevent(Changed("COUNT=2", "COUNT=18446744073709551615"))->alive, UINT64_MAX);
}

TEST(IsModuleLoadedTest, TellsTheModulesThatTheSensorHooks) {
  const std::string kAdded = "|ACTION=add|DEVPATH=/module/x|SUBSYSTEM=module|SEQNUM=9|";
  for (const char* module :
       {"kvm", "kvm_amd", "vhost_net", "vmw_vsock_virtio_transport_common", "vfio"}) {
    EXPECT_TRUE(IsModuleLoaded(Message("add@/module/" + (module + kAdded)))) << module;
    EXPECT_FALSE(IsModuleLoaded(Message("remove@/module/" + (module + kAdded)))) << module;
  }
  EXPECT_FALSE(IsModuleLoaded(Message("add@/module/bridge" + kAdded)));
  EXPECT_FALSE(IsModuleLoaded(Message("add@/devices/virtual/misc/kvm" + kAdded)));
  EXPECT_FALSE(IsModuleLoaded(""));
}

TEST(ParseKvmUeventTest, RefusesAllElse) {
  const std::string kCases[] = {
      "",
      Message("|"),
      Message("|||||"),
      Message("change@/devices/virtual/misc/kvm|"),
      Changed("change@", "add@"),
      Changed("@/devices/virtual/misc/kvm", "@/devices/virtual/misc/kvm2"),
      Changed("EVENT=create", "EVENT=created"),
      Changed("EVENT=create|", ""),
      Changed("COUNT=2", "COUNT="),
      Changed("COUNT=2", "COUNT=-2"),
      Changed("COUNT=2", "COUNT= 2"),
      Changed("COUNT=2", "COUNT=2x"),
      Changed("COUNT=2", "COUNT=18446744073709551616"),
      Changed("CREATED=5|", ""),
      Changed("PID=4878", "PID=2147483648"),
      Changed("PID=4878", "PID"),
      // udevd's own messages begin so.
      Message("libudev|") + Message(kCreate),
      // Oversized.
      Message(kCreate) + std::string(8192, 'x') + '\0',
  };
  for (const std::string& message : kCases) {
    EXPECT_FALSE(ParseKvmUevent(message).has_value()) << message;
  }
}

TEST(ParseKvmUeventTest, WhateverIsCutOffIsWholeOrRefused) {
  const std::string whole = Message(kCreate);
  for (size_t length = 0; length < whole.size(); ++length) {
    const auto event = ParseKvmUevent(absl::string_view(whole).substr(0, length));
    const bool ends_in_nul = length > 0 && whole[length - 1] == '\0';
    EXPECT_TRUE(ends_in_nul || !event.has_value()) << length;
    if (event) {
      EXPECT_EQ(event, (KvmUevent{Kind::kCreate, 5, 2, 4878})) << length;
    }
  }
}

TEST(IsFromKernelTest, OnlyTheKernelHasNoPortAndNoPid) {
  const auto sender = [](sa_family_t family, uint32_t port) {
    sockaddr_nl address{};
    address.nl_family = family;
    address.nl_pid = port;
    address.nl_groups = 1;
    return address;
  };
  const ucred kernel{0, 0, 0}, process{42, 0, 0}, user{0, 1000, 1000};
  EXPECT_TRUE(IsFromKernel(sender(AF_NETLINK, 0), &kernel));
  EXPECT_FALSE(IsFromKernel(sender(AF_NETLINK, 42), &kernel));
  EXPECT_FALSE(IsFromKernel(sender(AF_NETLINK, 0), &process));
  EXPECT_FALSE(IsFromKernel(sender(AF_NETLINK, 0), &user));
  EXPECT_FALSE(IsFromKernel(sender(AF_NETLINK, 0), nullptr));
  EXPECT_FALSE(IsFromKernel(sender(AF_UNIX, 0), &kernel));
}

}  // namespace
}  // namespace kvmsentry
