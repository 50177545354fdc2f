#include "sensor/daemon/self_watch.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

KernelTime At(int64_t seconds) { return {seconds * kNsPerSecond}; }

TEST(CanaryWatchTest, OnlyTheOneThatIsUnderWayCounts) {
  CanaryWatch watch;
  const auto first = watch.Send();
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(watch.under_way());
  EXPECT_FALSE(watch.Send().has_value());
  watch.Returned(*first + 1);
  EXPECT_TRUE(watch.under_way());
  watch.Returned(*first);
  EXPECT_FALSE(watch.under_way());
  EXPECT_NE(watch.Send(), first);
}

TEST(SelfWatchTest, AFaultOpensOnceAndClears) {
  SelfWatch watch;
  watch.Judge(Fault::kPins, "", At(1));
  EXPECT_THAT(watch.Take(), IsEmpty());
  watch.Judge(Fault::kPins, "the pin x is gone", At(2));
  watch.Judge(Fault::kPins, "the pin x is gone", At(4));
  const auto opened = watch.Take();
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_EQ(opened[0].spec_id, "self-pins");
  EXPECT_EQ(opened[0].state, AlertState::kOpen);
  EXPECT_EQ(opened[0].severity, Severity::kCritical);
  EXPECT_EQ(opened[0].vm.id.serial, 0U);
  EXPECT_THAT(opened[0].summary, HasSubstr("the pin x is gone"));
  watch.Judge(Fault::kPins, "", At(6));
  const auto cleared = watch.Take();
  ASSERT_EQ(cleared.size(), 1U);
  EXPECT_EQ(cleared[0].state, AlertState::kCleared);
  EXPECT_EQ(cleared[0].opened_at.ns, At(2).ns);
  EXPECT_EQ(cleared[0].count, 2U);
}

TEST(SelfWatchTest, AnotherFaultOfItsKindIsToldOnceAMinute) {
  SelfWatch watch;
  watch.Judge(Fault::kCost, "a is shed", At(1));
  EXPECT_EQ(watch.Take().size(), 1U);
  watch.Judge(Fault::kCost, "a is shed; b is shed", At(60));
  EXPECT_THAT(watch.Take(), IsEmpty());
  watch.Judge(Fault::kCost, "a is shed; b is shed", At(61));
  const auto updated = watch.Take();
  ASSERT_EQ(updated.size(), 1U);
  EXPECT_EQ(updated[0].state, AlertState::kUpdated);
  EXPECT_EQ(updated[0].severity, Severity::kWarning);
  EXPECT_EQ(updated[0].opened_at.ns, At(1).ns);
  EXPECT_EQ(updated[0].count, 3U);
  EXPECT_THAT(updated[0].summary, HasSubstr("b is shed"));
  watch.Judge(Fault::kCost, "a is shed; b is shed", At(200));
  EXPECT_THAT(watch.Take(), IsEmpty());
}

TEST(SelfWatchTest, AnOpenFaultHasTheSeverityOfItsAlert) {
  SelfWatch watch;
  watch.Judge(Fault::kPins, "x", At(1));
  watch.Judge(Fault::kWorker, "y", At(1));
  const std::vector<FaultView> open = watch.Open();
  ASSERT_EQ(open.size(), 2U);
  EXPECT_EQ(open[0].id, "self-pins");
  EXPECT_EQ(open[0].severity, Severity::kCritical);
  EXPECT_EQ(open[1].id, "self-worker");
  EXPECT_EQ(open[1].severity, Severity::kWarning);
  EXPECT_THAT(open[1].text, HasSubstr("y"));
}

TEST(SelfWatchTest, TheOperatorsPageHasEachFault) {
  std::ifstream page(KVMSENTRY_DOCS "/operating.md");
  std::vector<std::string> ids;
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("| `self-", 0) == 0) ids.push_back(line.substr(3, line.find('`', 3) - 3));
  }
  EXPECT_THAT(ids, ::testing::ElementsAreArray(FaultIds()));
}

TEST(SelfWatchTest, FaultsAreToldApart) {
  SelfWatch watch;
  watch.Judge(Fault::kRing, "a", At(1));
  watch.Judge(Fault::kTables, "b", At(1));
  watch.Judge(Fault::kLinks, "c", At(1));
  watch.Judge(Fault::kRing, "", At(2));
  std::vector<std::string> ids;
  for (const AlertEvent& event : watch.Take()) ids.push_back(event.spec_id);
  EXPECT_THAT(ids, ::testing::ElementsAre("self-ring", "self-tables", "self-links", "self-ring"));
}

}  // namespace
}  // namespace kvmsentry
