#include "sensor/given/facts.h"

#include "tests/unit/given/given_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Given WithDisks(const std::vector<std::string>& ids) {
  Given given;
  for (const std::string& id : ids) given.disks.emplace_back().id = id;
  return given;
}

TEST(PartsOfTest, UnknownFactsAreThere) {
  const std::vector<GivenPart> parts = PartsOf(WithDisks({"vda"}));
  const auto disk =
      std::ranges::find(parts, std::string("disk"), [](const GivenPart& p) { return p.kind; });
  ASSERT_NE(disk, parts.end());
  EXPECT_EQ(disk->id, "vda");
  EXPECT_THAT(disk->facts, SizeIs(9));
  for (const NamedFact& fact : disk->facts) {
    EXPECT_EQ(fact.value.index(), 0U) << fact.name;
    EXPECT_EQ(fact.origin, FactOrigin::kUnknown);
  }
}

TEST(ChangesBetweenTest, NamesWhatCameWentAndChanged) {
  Given before = WithDisks({"vda", "vdb"}), after = WithDisks({"vda", "vdc"});
  before.memory.size = {1, FactOrigin::kArgv};
  after.memory.size = {2, FactOrigin::kArgv};
  after.disks[0].read_only = {true, FactOrigin::kArgv};
  EXPECT_THAT(ChangesBetween(before, after, 10),
              ElementsAre("disk vdb was removed", "disk vda: read-only changed",
                          "disk vdc was added", "memory: size changed"));
  EXPECT_THAT(ChangesBetween(before, after, 2), ElementsAre("disk vdb was removed", "and 3 more"));
  EXPECT_THAT(ChangesBetween(after, after, 10), IsEmpty());
}

// Where a fact is learnt from is no matter of the VM's.
TEST(ChangesBetweenTest, AnotherOriginIsNoChange) {
  Given before, after;
  before.memory.size = {1, FactOrigin::kArgv};
  after.memory.size = {1, FactOrigin::kLibvirt};
  EXPECT_THAT(ChangesBetween(before, after, 10), IsEmpty());
}

TEST(ChangesBetweenTest, PartsOfTheSameNameAreToldApartByTheirOrder) {
  EXPECT_THAT(ChangesBetween(WithDisks({"a", "a"}), WithDisks({"a"}), 10),
              ElementsAre("disk a was removed"));
}

}  // namespace
}  // namespace kvmsentry
