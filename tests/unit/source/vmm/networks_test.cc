#include "sensor/source/vmm/networks.h"

#include <gmock/gmock.h>

#include "bpf/vmm/records.h"

namespace kvmsentry {
namespace {

Given GivenNetwork(const char* kind, const char* socket = "",
                   FactOrigin origin = FactOrigin::kArgv) {
  Given given;
  given::Interface& interface = given.interfaces.emplace_back();
  interface.kind = {kind, origin};
  interface.socket = {socket, origin};
  return given;
}

TEST(NetworksTest, WhatTheVmmCarriesItselfIsToldFromWhatTheHostDoes) {
  EXPECT_EQ(NetworksOf(Given{}), 0U);
  EXPECT_EQ(NetworksOf(GivenNetwork("tap")), 0U);
  EXPECT_EQ(NetworksOf(GivenNetwork("stream", "unix:/run/passt.sock")), 0U);
  EXPECT_EQ(NetworksOf(GivenNetwork("user")), KS_NETWORK_USER);
  EXPECT_EQ(NetworksOf(GivenNetwork("l2tpv3")), KS_NETWORK_DATAGRAM);
  EXPECT_EQ(NetworksOf(GivenNetwork("dgram", "udp:192.0.2.1:4000")), KS_NETWORK_DATAGRAM);
  EXPECT_EQ(NetworksOf(GivenNetwork("dgram", "unix:/run/switch.sock")), 0U);
  EXPECT_EQ(NetworksOf(GivenNetwork("socket", "mcast:230.0.0.1:1234")), KS_NETWORK_DATAGRAM);
  EXPECT_EQ(NetworksOf(GivenNetwork("socket", "udp:192.0.2.1:4000")), KS_NETWORK_DATAGRAM);
  EXPECT_EQ(NetworksOf(GivenNetwork("socket", "connect:192.0.2.1:4000")), 0U);
}

TEST(NetworksTest, WhatTheVmmOpenedByItselfIsNoLeave) {
  EXPECT_EQ(NetworksOf(GivenNetwork("user", "", FactOrigin::kOpenFile)), 0U);
  EXPECT_EQ(NetworksOf(GivenNetwork("user", "", FactOrigin::kLibvirt)), KS_NETWORK_USER);
}

TEST(NetworksTest, OneOfSeveralIsEnough) {
  Given given = GivenNetwork("tap");
  given.interfaces.push_back(GivenNetwork("user").interfaces.front());
  given.interfaces.push_back(GivenNetwork("l2tpv3").interfaces.front());
  EXPECT_EQ(NetworksOf(given), uint64_t{KS_NETWORK_USER | KS_NETWORK_DATAGRAM});
}

}  // namespace
}  // namespace kvmsentry
