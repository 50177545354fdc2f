#include "tests/scenario/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"

#include "tests/support/assert_ok.h"

namespace kvmsentry::scenario {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kWhole[] = R"(shows: "A storm." runs: ANYWHERE
step { start_guest { vm: "noisy" options: "--behaviour pio" } }
step { start_daemon {} }
step { begin: "noisy" }
expect { alert { vm: "nois?" spec: "pio-storm" } }
)";

std::string Error(const std::string& text) {
  return std::string(Parse("s.textproto", text).status().message());
}

TEST(ParseTest, EveryScenarioOfTheFolderHasAMeaning) {
  ASSERT_OK_AND_ASSIGN(const std::vector<Named> all, ReadFolder(KVMSENTRY_SCENARIOS));
  for (const Named& named : all) EXPECT_EQ(named.scenario.status(), absl::OkStatus());
}

TEST(ParseTest, AWholeScenarioIsRead) {
  ASSERT_OK_AND_ASSIGN(const Scenario scenario, Parse("s.textproto", kWhole));
  EXPECT_EQ(scenario.step_size(), 3);
  EXPECT_EQ(scenario.step(2).begin(), "noisy");
}

TEST(ParseTest, AFolderWithoutScenariosIsAnError) {
  EXPECT_TRUE(absl::IsNotFound(ReadFolder("/proc/self/fdinfo").status()));
}

TEST(ParseTest, AnUnknownFieldIsToldWithItsPlace) {
  EXPECT_THAT(Error(std::string(kWhole) + "shouts: 1\n"),
              AllOf(StartsWith("s.textproto:6:"), HasSubstr("shouts")));
}

TEST(ParseTest, AnUnknownNameIsToldWithItsPlace) {
  EXPECT_THAT(Error(std::string(kWhole) + "needs: A_MIRACLE ci: true\n"),
              AllOf(StartsWith("s.textproto:6:"), HasSubstr("A_MIRACLE")));
}

TEST(ParseTest, AVmThatWasNotStartedIsToldWithItsStep) {
  EXPECT_EQ(Error(std::string(kWhole) + "step { begin: \"nosy\" }\n"),
            "s.textproto:6:1: no VM \"nosy\" was started before");
}

TEST(ParseTest, AnAlertOfAVmThatIsNotThereWouldNeverComeAndIsAnError) {
  EXPECT_THAT(Error(absl::StrReplaceAll(kWhole, {{"nois?", "nosi?"}})), HasSubstr("no such VM"));
}

TEST(ParseTest, ANeedThatAStepHasMustBeDeclared) {
  const std::string text =
      std::string(kWhole) + "step { start_debian { vm: \"web\" vhost_net: true } }\n";
  EXPECT_THAT(Error(text), AllOf(HasSubstr("s.textproto:6:1: it takes `needs: DEBIAN_GUEST`"),
                                 HasSubstr("s.textproto:6:1: it takes `needs: VHOST_NET`")));
  EXPECT_EQ(Error(text + "needs: [DEBIAN_GUEST, VHOST_NET]\n"), "");
}

TEST(ParseTest, WhatOnlyADebianGuestCanIsRefusedOfAnother) {
  EXPECT_THAT(Error(std::string(kWhole) + "step { wait_console { vm: \"noisy\" line: \"a\" } }\n"),
              HasSubstr("is no Debian guest"));
}

TEST(ParseTest, ADomainIsOfTheLabAndHasNoGate) {
  const std::string text =
      std::string(kWhole) + "needs: LIBVIRT step { start_domain { vm: \"web\" } }\n";
  EXPECT_EQ(Error(absl::StrReplaceAll(text, {{"ANYWHERE", "LAB"}})), "");
  EXPECT_THAT(Error(absl::StrReplaceAll(text, {{"LAB", "ANYWHERE"}})), HasSubstr("runs: LAB"));
  EXPECT_THAT(Error(text + "step { begin: \"web\" }\n"), HasSubstr("is a domain of libvirt"));
  EXPECT_THAT(Error(std::string(kWhole) + "step { restart_libvirt {} }\n"),
              HasSubstr("needs start_domain"));
}

TEST(ParseTest, AReceiverHasTheDevicesOfWhatItReceives) {
  const std::string text =
      std::string(kWhole) +
      "needs: DEBIAN_GUEST step { start_debian { vm: \"web\" } } "
      "step { start_debian { vm: \"there\" receives: \"web\" floppy: true } }\n";
  EXPECT_THAT(Error(text), HasSubstr("leave out all but `vm`"));
}

TEST(ParseTest, AScenarioThatExpectsNothingIsRefused) {
  EXPECT_THAT(Error("shows: \"Nothing.\" runs: LAB step { start_daemon {} }"),
              HasSubstr("expects nothing"));
}

}  // namespace
}  // namespace kvmsentry::scenario
