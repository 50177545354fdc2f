#include "sensor/source/vmm/network_acts.h"

#include <memory>

#include <gmock/gmock.h>

#include "bpf/vmm/records.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

constexpr VmId kVm{7};
constexpr KernelTime kSeen{1};

Observation Act(const char* feature, uint64_t value = 0) {
  return {.time = kSeen,
          .vm = kVm,
          .kind = ObservationKind::kMember,
          .feature = FeatureNamed(feature),
          .value = value};
}

// The features of what ACTS give at NOW.
std::vector<FeatureId> Taken(NetworkActs& acts, KernelTime now = kSeen) {
  std::vector<Observation> out;
  acts.Take(now, &out);
  std::vector<FeatureId> features;
  for (const Observation& one : out) {
    EXPECT_EQ(one.time.ns, now.ns);
    features.push_back(one.feature);
  }
  return features;
}

TEST(NetworkActsTest, WhatAUserNetworkExplainsIsDroppedOnceThatIsKnown) {
  NetworkActs acts;
  EXPECT_TRUE(acts.Keep(Act("vmm.connection")));
  EXPECT_TRUE(acts.Keep(Act("vmm.datagram")));
  EXPECT_TRUE(acts.Keep(Act("vmm.socket", KS_SOCKET_UDP)));
  EXPECT_THAT(Taken(acts), ::testing::IsEmpty());
  acts.Know(kVm, KS_NETWORK_USER);
  EXPECT_THAT(Taken(acts), ::testing::IsEmpty());
}

TEST(NetworkActsTest, WhatNoNetworkExplainsIsGivenOnceThatIsKnown) {
  NetworkActs acts;
  EXPECT_TRUE(acts.Keep(Act("vmm.connection")));
  EXPECT_TRUE(acts.Keep(Act("vmm.datagram")));
  acts.Know(kVm, KS_NETWORK_DATAGRAM);
  EXPECT_THAT(Taken(acts), ::testing::ElementsAre(FeatureNamed("vmm.connection")));
  EXPECT_THAT(Taken(acts), ::testing::IsEmpty());
  EXPECT_FALSE(acts.Keep(Act("vmm.connection"))) << "the program has asked by then";
}

// Later the programs ask for the networks themselves, and what they still tell is of others.
TEST(NetworkActsTest, WhatWasSentBeforeTheProgramsKnewIsExplainedToo) {
  const auto named = [](const char* feature) {
    Observation act = Act(feature);
    act.member = std::make_shared<const Member>(Member{.text = "192.0.2.1:9", .by = "qemu"});
    return act;
  };
  NetworkActs acts;
  acts.Know(kVm, KS_NETWORK_USER);
  EXPECT_TRUE(acts.Keep(named("vmm.datagram"))) << "it was on its way";
  EXPECT_TRUE(acts.Keep(Act("vmm.datagram"))) << "the same, as a bit";
  Taken(acts);
  Taken(acts);
  EXPECT_FALSE(acts.Keep(named("vmm.datagram"))) << "of a child, which no network explains";
  EXPECT_FALSE(acts.Keep(Act("vmm.datagram"))) << "the same, as a bit";
  acts.Know(kVm, KS_NETWORK_USER);
  EXPECT_FALSE(acts.Keep(named("vmm.datagram"))) << "the networks are the same";
  EXPECT_THAT(Taken(acts), ::testing::IsEmpty());
}

TEST(NetworkActsTest, AConnectionToWhereTheVmmWasToldToConnectIsExplained) {
  const auto to = [](const char* remote) {
    Observation act = Act("vmm.connection");
    act.member = std::make_shared<const Member>(Member{.text = remote, .by = "qemu"});
    return act;
  };
  NetworkActs acts;
  EXPECT_TRUE(acts.Keep(to("192.0.2.1:10809")));
  EXPECT_TRUE(acts.Keep(to("192.0.2.1:9")));
  acts.Know(kVm, 0, {"192.0.2.1:10809"});
  EXPECT_THAT(Taken(acts), ::testing::ElementsAre(FeatureNamed("vmm.connection"))) << "to port 9";
  Taken(acts);
  EXPECT_TRUE(acts.Keep(to("192.0.2.1:10809"))) << "once more, whenever";
  EXPECT_FALSE(acts.Keep(to("192.0.2.2:10809")));
  EXPECT_THAT(Taken(acts), ::testing::IsEmpty());
}

TEST(NetworkActsTest, OtherActsDoNotWait) {
  NetworkActs acts;
  EXPECT_FALSE(acts.Keep(Act("vmm.listener")));
  EXPECT_FALSE(acts.Keep(Act("vmm.program")));
  EXPECT_FALSE(acts.Keep(Act("vmm.socket", KS_SOCKET_RAW)));
}

TEST(NetworkActsTest, NothingWaitsForLongNorInGreatNumbers) {
  NetworkActs acts;
  for (size_t i = 0; i < NetworkActs::kMostWaiting; ++i) {
    EXPECT_TRUE(acts.Keep(Act("vmm.datagram")));
  }
  EXPECT_FALSE(acts.Keep(Act("vmm.datagram")));
  EXPECT_THAT(Taken(acts, {NetworkActs::kWaitNs}), ::testing::IsEmpty());
  EXPECT_EQ(Taken(acts, {NetworkActs::kWaitNs + kSeen.ns}).size(), NetworkActs::kMostWaiting);
}

TEST(NetworkActsTest, AForgottenVmIsAnother) {
  NetworkActs acts;
  acts.Know(kVm, KS_NETWORK_USER);
  acts.Forget(kVm);
  EXPECT_TRUE(acts.Keep(Act("vmm.connection")));
  acts.Forget(kVm);
  acts.Know(kVm, 0);
  EXPECT_THAT(Taken(acts), ::testing::IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
