// Floods of what every host can do.
#include "tests/e2e/flood_test.h"

namespace kvmsentry {
namespace {

const FloodCase kFloods[] = {
    ByGuest("pio", "pio --vcpus 2"),
    ByGuest("ports", "pio --port 0 --sweep 65536 --vcpus 2"),
    ByGuest("mmio", "mmio --vcpus 2"),
    ByGuest("mmio_pages", "mmio --pages 512 --vcpus 2"),
    ByGuest("msr", "msr --vcpus 2"),
    // Outside the blocks of the known ones, each another.
    ByGuest("msrs", "msr --msr 0x12345 --sweep 1000000000 --vcpus 2"),
    ByGuest("userspace_exits", "userspace-exit --vcpus 2"),
    ByGuest("cpuid", "cpuid --vcpus 2"),
    ByGuest("control_registers", "control --vcpus 2"),
    ByGuest("lstar", "lstar --vcpus 2"),
    ByGuest("exceptions", "msr --msr 0xdead0000 --vcpus 2"),
    // So few that its VMM empties the rings in time: kvm_pvm never leaves a guest whose ring is
    // full.
    ByGuest("dirty_pages", "dirty --pages 64 --rate 20000 --vcpus 2"),
    ByGuest("timers", "timer --timer-ns 100000 --vcpus 2", 500),
    // All pass the same limits, which the kernel tells once a second for each.
    ByGuest("many_storms", "pio --vms 50 --one-thread"),
    {"interrupts", FloodOfInterrupts, 5000},
    {"vms", FloodOfVms, 200},
    {"tracing", FloodOfTracing, 200},
};

INSTANTIATE_TEST_SUITE_P(Floods, FloodTest, ::testing::ValuesIn(kFloods), FloodName);

}  // namespace
}  // namespace kvmsentry
