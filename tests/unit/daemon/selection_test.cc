// From the name that a VMM is given to the specs that select its VM: inventory and library
// together.
#include <gmock/gmock.h>

#include "sensor/spec/library.h"
#include "tests/unit/inventory/inventory_fixture.h"
#include "tests/unit/spec/spec_text.h"

namespace kvmsentry {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(InventoryTest, ASelectorMatchesEveryVmThatWasGivenTheName) {
  processes_.Add(100, "solo");
  processes_.Add(200, "solo");
  processes_.Add(300, "solo#2");
  rows_ = {Row(kA, 1, 100), Row(kB, 2, 200), Row(kC, 3, 300)};
  const auto appeared = Sync(At(11)).appeared;
  ASSERT_THAT(appeared, SizeIs(3));
  EXPECT_EQ(appeared[0].facts.name, "solo");
  EXPECT_EQ(appeared[1].facts.name, "solo#2");
  EXPECT_EQ(appeared[2].facts.name, "solo#2#1");

  const auto parsed = SpecLibrary::Parse(
      {{"f", SpecText().With(5, "  select { vm: \"solo\" } norm { max: 10 }").text()}});
  ASSERT_THAT(parsed.problems, IsEmpty());
  EXPECT_THAT(parsed.library.LimitsFor(appeared[0].facts), SizeIs(1));
  EXPECT_THAT(parsed.library.LimitsFor(appeared[1].facts), SizeIs(1));
  EXPECT_THAT(parsed.library.LimitsFor(appeared[2].facts), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
