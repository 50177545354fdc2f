// Another library while alerts are open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "tests/unit/engine/test_specs.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const auto kPio = FeatureNamed("pio.rate");

Spec Storm(double max = 10'000) { return MaxSpec("storm", kPio, max, kNsPerSecond); }
Spec Other() { return MaxSpec("other", kPio, 1'000'000, kNsPerSecond); }

std::shared_ptr<const SpecLibrary> Of(std::vector<Spec> specs) {
  return std::make_shared<SpecLibrary>(SpecLibrary::FromSpecs(std::move(specs)));
}

// A VM whose alert "storm" is open.
OneVm Storming(std::vector<Spec> specs) {
  OneVm vm(std::move(specs));
  EXPECT_THAT(Brief(vm.Flow(kPio, 2'000, 2'000)), ElementsAre("OPEN storm"));
  return vm;
}

TEST(EngineLibraryTest, AnAlertOfASpecThatDidNotChangeStaysOpen) {
  OneVm vm = Storming({Storm(), Other()});
  vm.engine().SetLibrary(Of({Storm()}));
  EXPECT_THAT(vm.Flow(kPio, 2'000, 4'000), IsEmpty()) << "neither cleared nor opened again";
  EXPECT_THAT(Brief(vm.Flow(kPio, 0, 7'000)), ElementsAre("CLEARED storm"));
}

TEST(EngineLibraryTest, ItsWindowIsKept) {
  OneVm vm({Storm(), Other()});
  // 900 ms of 1,050 a tick are below the limit, and 1,000 ms are above it.
  EXPECT_THAT(vm.Flow(kPio, 1'050, 900), IsEmpty());
  vm.engine().SetLibrary(Of({Storm()}));
  EXPECT_THAT(Brief(vm.Flow(kPio, 1'050, 1'100)), ElementsAre("OPEN storm"));
}

TEST(EngineLibraryTest, AlertsOfARemovedSpecClear) {
  OneVm vm = Storming({Storm(), Other()});
  vm.engine().SetLibrary(Of({Other()}));
  const auto events = vm.Flow(kPio, 2'000, 2'500);
  ASSERT_THAT(Brief(events), ElementsAre("CLEARED storm"));
  EXPECT_THAT(events[0].summary,
              HasSubstr("VM \"web-1\": spec storm was removed; the alert lasted "));
}

TEST(EngineLibraryTest, AlertsOfAChangedSpecClearAndItIsJudgedFromTheBeginning) {
  OneVm vm = Storming({Storm()});
  vm.engine().SetLibrary(Of({Storm(11'000)}));
  const auto events = vm.Flow(kPio, 2'000, 5'000);
  ASSERT_THAT(Brief(events), ElementsAre("CLEARED storm", "OPEN storm"));
  EXPECT_THAT(events[0].summary, HasSubstr("spec storm was changed; the alert lasted "));
  OneVm calm = Storming({Storm()});
  calm.engine().SetLibrary(Of({Storm(30'000)}));
  EXPECT_THAT(Brief(calm.Flow(kPio, 2'000, 5'000)), ElementsAre("CLEARED storm"));
}

TEST(EngineLibraryTest, ANewSpecJudgesVmsThatAreKnown) {
  OneVm vm({Other()});
  EXPECT_THAT(vm.Flow(kPio, 2'000, 2'000), IsEmpty());
  vm.engine().SetLibrary(Of({Other(), Storm()}));
  EXPECT_THAT(Brief(vm.Flow(kPio, 2'000, 4'000)), ElementsAre("OPEN storm"));
}

// The old library may go away as soon as it was replaced.
TEST(EngineLibraryTest, TheOldLibraryIsKeptAsLongAsItIsNeeded) {
  OneVm vm = Storming({Storm(), Other()});
  vm.engine().SetLibrary(Of({Storm()}));
  vm.engine().SetLibrary(Of({}));
  vm.engine().SetLibrary(Of({Other()}));
  EXPECT_THAT(Brief(vm.Tick(2'100)), ElementsAre("CLEARED storm"));
}

}  // namespace
}  // namespace kvmsentry
