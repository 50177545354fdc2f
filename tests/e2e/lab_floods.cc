// Floods that need a KVM back end with nested guests and hypercalls, and vhost: run in the lab.
#include "tests/e2e/flood_test.h"

namespace kvmsentry {
namespace {

const FloodCase kLabFloods[] = {
    ByGuest("hypercalls", "hypercall --value 11 --vcpus 2"),
    ByGuest("nested_guests", "nested --vcpus 2"),
    // Kept pages are protected again at each turn, so each store is a page fault, too.
    ByGuest("full_dirty_rings", "dirty --pages 2500"),
    {"vhost_kicks", FloodOfVhostKicks, 5000},
    {"vhost_devices", FloodOfVhostDevices, 50},
};

INSTANTIATE_TEST_SUITE_P(LabFloods, FloodTest, ::testing::ValuesIn(kLabFloods), FloodName);

}  // namespace
}  // namespace kvmsentry
