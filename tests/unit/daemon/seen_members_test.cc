#include "sensor/daemon/seen_members.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/daemon/judge_members.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Observation Seen(uint64_t vm, absl::string_view feature, uint64_t value, int64_t at_s) {
  return {.time = {at_s * kNsPerSecond},
          .vm = {vm},
          .kind = ObservationKind::kMember,
          .feature = FeatureNamed(feature),
          .value = value};
}

const SeenSet& SetOf(const SeenMembers& seen, absl::string_view feature) {
  static const SeenSet kNone;
  const SeenSet* const set = seen.Of(FeatureNamed(feature));
  return set == nullptr ? kNone : *set;
}

TEST(MemberBook, KeepsEachMemberOnceWithWhenItWasSeen) {
  MemberBook book;
  book.Note(Seen(1, "pio.port", 0x3f8, 10));
  book.Note(Seen(2, "pio.port", 0x60, 11));
  book.Note(Seen(1, "pio.port", 0x3f8, 20));
  book.Note(Seen(1, "msr.written", 0x10, 21));
  const SeenSet& ports = SetOf(*book.Of({1}), "pio.port");
  ASSERT_EQ(ports.size(), 1U);
  EXPECT_EQ(ports[0].value, 0x3f8U);
  EXPECT_EQ(ports[0].first.ns, 10 * kNsPerSecond);
  EXPECT_EQ(ports[0].last_ns, 20 * kNsPerSecond);
  EXPECT_EQ(SetOf(*book.Of({1}), "msr.written").size(), 1U);
  EXPECT_EQ(SetOf(*book.Of({2}), "pio.port").size(), 1U);
}

TEST(MemberBook, AVmThatIsGoneIsForgottenButNotWhileItIsRead) {
  MemberBook book;
  book.Note(Seen(1, "pio.port", 1, 10));
  const auto read = book.Of({1});
  book.Remove({1});
  EXPECT_EQ(book.Of({1}), nullptr);
  EXPECT_EQ(SetOf(*read, "pio.port").size(), 1U);
  book.Note(Seen(1, "pio.port", 2, 11));
  EXPECT_EQ(SetOf(*book.Of({1}), "pio.port")[0].value, 2U);
}

TEST(MemberBook, ASetThatIsFloodedCountsTheRestAndHidesNoOther) {
  MemberBook book;
  for (uint64_t port = 0; port < SeenSet::kMost + 10; ++port) {
    book.Note(Seen(1, "pio.port", port, 10));
  }
  book.Note(Seen(1, "msr.written", 0x10, 11));
  const SeenSet& ports = SetOf(*book.Of({1}), "pio.port");
  EXPECT_EQ(ports.size(), SeenSet::kMost);
  EXPECT_EQ(ports.beyond(), 10U);
  EXPECT_EQ(SetOf(*book.Of({1}), "msr.written").size(), 1U);
}

TEST(MemberBook, MembersThatAreTextsAreToldApart) {
  MemberBook book;
  Observation taker = Seen(1, "cpu.taken_by", 0, 10);
  for (const char* who : {"vm:a", "vm:b", "vm:a"}) {
    taker.member = std::make_shared<const Member>(Member{.text = who});
    book.Note(taker);
  }
  const SeenSet& takers = SetOf(*book.Of({1}), "cpu.taken_by");
  ASSERT_EQ(takers.size(), 2U);
  EXPECT_EQ(takers[1].wide->text, "vm:b");
}

// What is read is whole, whatever is added meanwhile.
TEST(MemberBook, IsReadBesideTheLoop) {
  MemberBook book;
  book.Note(Seen(1, "pio.port", 1'000, 1'000));
  const auto read = book.Of({1});
  std::atomic<bool> ended = false;
  std::thread reader([&] {
    const SeenSet& ports = SetOf(*read, "pio.port");
    while (!ended) {
      for (uint32_t i = 0; i < ports.size(); ++i) {
        ASSERT_EQ(ports[i].first.ns, static_cast<int64_t>(ports[i].value) * kNsPerSecond);
      }
    }
  });
  for (uint64_t port = 1'001; port < 1'000 + SeenSet::kMost; ++port) {
    book.Note(Seen(1, "pio.port", port, static_cast<int64_t>(port)));
  }
  ended = true;
  reader.join();
  EXPECT_EQ(SetOf(*read, "pio.port").size(), SeenSet::kMost);
}

Spec Forbids(const std::string& id, uint64_t port, const std::string& vm) {
  Spec spec;
  spec.id = id;
  spec.feature = FeatureNamed("pio.port");
  spec.select.vm = {vm};
  spec.norm = SetNorm{.allow = false, .members = {{port, port}}};
  return spec;
}

TEST(JudgeMembers, WhereOnlyTheirNumberIsJudgedNoneIsOutside) {
  SeenMembers seen;
  seen.Note(Seen(1, "pio.port", 0x3f5, 90));
  Spec scan = Forbids("scan", 0, "*");
  scan.norm = VarietyNorm{.most = 5};
  const MembersView view = JudgeMembers(seen, VmFacts(), SpecLibrary::FromSpecs({scan}),
                                        absl::FromUnixSeconds(1'000), {100 * kNsPerSecond});
  ASSERT_EQ(view.members.size(), 1U);
  EXPECT_TRUE(view.members[0].judged);
  EXPECT_THAT(view.members[0].outside, IsEmpty());
}

TEST(JudgeMembers, ByTheSpecsThatSelectTheVm) {
  SeenMembers seen;
  seen.Note(Seen(1, "pio.port", 0x3f5, 90));
  seen.Note(Seen(1, "pio.port", 0x60, 95));
  seen.Note(Seen(1, "pio.port", 0x60, 99));
  seen.Note(Seen(1, "msr.written", 0x10, 99));
  VmFacts vm;
  vm.given_name = "web";
  const auto library = SpecLibrary::FromSpecs(
      {Forbids("floppy", 0x3f5, "*"), Forbids("keyboard-of-others", 0x60, "db")});
  const MembersView view =
      JudgeMembers(seen, vm, library, absl::FromUnixSeconds(1'000), {100 * kNsPerSecond});
  ASSERT_EQ(view.members.size(), 3U);
  EXPECT_THAT(view.members[0].outside, ElementsAre("floppy"));
  EXPECT_THAT(view.members[1].outside, IsEmpty());
  EXPECT_TRUE(view.members[1].judged);
  EXPECT_EQ(view.members[1].first_seen, absl::FromUnixSeconds(995));
  EXPECT_EQ(view.members[1].last_seen, absl::FromUnixSeconds(999));
  EXPECT_FALSE(view.members[2].judged) << "no spec on MSRs";
}

}  // namespace
}  // namespace kvmsentry
