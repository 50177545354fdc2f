#include "sensor/source/entitlement/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Given WithMemory(const std::string& file) {
  Given given;
  given::MemoryBacking& backing = given.memory.backing.emplace_back();
  backing.path = {"/dev/shm/" + file, FactOrigin::kOpenFile};
  backing.file = {file, FactOrigin::kOpenFile};
  return given;
}

class EntitlementSourceTest : public ::testing::Test {
 protected:
  // The VMs that share memory, as told now.
  std::vector<uint64_t> Sharing() {
    now_.ns += EntitlementSource::kTellAgainNs;
    Reading reading;
    source_.Read({.now = now_, .active = {}, .rates = {}}, &reading);
    std::vector<uint64_t> vms;
    for (const Observation& observation : reading.observations) {
      if (observation.feature == FeatureNamed("memory.shared"))
        vms.push_back(observation.vm.serial);
    }
    return vms;
  }

  void Watch(uint64_t vm, const std::string& file) {
    source_.Watch({{vm}, static_cast<Slot>(vm)}, {});
    source_.Entitle({vm}, WithMemory(file));
  }

  EntitlementSource source_;
  KernelTime now_{1'000'000'000};
};

TEST_F(EntitlementSourceTest, MemoryOfTwoVmsIsSharedWhileBothHaveIt) {
  Watch(1, "a");
  Watch(2, "b");
  EXPECT_THAT(Sharing(), IsEmpty());
  Watch(3, "a");
  EXPECT_THAT(Sharing(), ElementsAre(1, 3));
  source_.Entitle({3}, WithMemory("c"));
  EXPECT_THAT(Sharing(), IsEmpty());
  source_.Entitle({3}, WithMemory("b"));
  EXPECT_THAT(Sharing(), ElementsAre(2, 3));
  source_.Unwatch({2});
  EXPECT_THAT(Sharing(), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
