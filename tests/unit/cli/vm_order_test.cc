#include "sensor/cli/vm_order.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/from_text.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Sorted(VmKey key) {
  std::vector<v1::VmStatus> vms = {
      FromText<v1::VmStatus>("vm { name: 'vm10' } watched: true score: 3 worst_severity: WARNING "
                             "first_seen { seconds: 10 } levels { key: 'cpu.used' value: 1 }"),
      FromText<v1::VmStatus>("vm { name: 'gone' } score: 99"),
      FromText<v1::VmStatus>("vm { name: 'vm2' } watched: true score: 5 worst_severity: WARNING "
                             "first_seen { seconds: 30 } rates { key: 'pio.rate' value: 1 }"),
      FromText<v1::VmStatus>("vm { name: 'vm1' } watched: true score: 1 worst_severity: CRITICAL "
                             "first_seen { seconds: 20 } levels { key: 'cpu.used' value: 2 }")};
  SortVms(key, vms);
  std::vector<std::string> names;
  for (const v1::VmStatus& vm : vms) names.push_back(vm.vm().name());
  return names;
}

TEST(SortVms, EachKeyWithItsOrderAndWhatIsNotKnownLast) {
  EXPECT_THAT(Sorted(VmKey::kSeverity), ElementsAre("vm1", "vm2", "vm10", "gone"));
  EXPECT_THAT(Sorted(VmKey::kScore), ElementsAre("vm2", "vm10", "vm1", "gone"));
  EXPECT_THAT(Sorted(VmKey::kName), ElementsAre("gone", "vm1", "vm2", "vm10"));
  EXPECT_THAT(Sorted(VmKey::kAge), ElementsAre("vm2", "vm1", "vm10", "gone"));
  EXPECT_THAT(Sorted(VmKey::kCpu), ElementsAre("vm1", "vm10", "gone", "vm2"));
  EXPECT_THAT(Sorted(VmKey::kRate), ElementsAre("vm2", "gone", "vm1", "vm10"));
}

TEST(SortVms, EachKeyHasAName) {
  EXPECT_EQ(VmKeyNames().size(), static_cast<size_t>(VmKey::kRate) + 1);
}

}  // namespace
}  // namespace kvmsentry
