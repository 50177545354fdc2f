// While somebody floods the sensor with one thing, other VMs break a norm once: each is told, and
// nothing is lost.
#include "tests/e2e/flood.h"

#include <ostream>
#include <set>

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::StartsWith;

constexpr int kVictims = 100;
constexpr int kAtATime = 10;

struct FloodCase {
  std::string name;
  std::function<FloodOr()> start;
  uint64_t least;  // so often it happened, or it was none

  friend std::ostream& operator<<(std::ostream& out, const FloodCase& flood) {
    return out << flood.name;
  }
};

FloodCase ByGuest(const std::string& name, const std::string& options, uint64_t least = 5000) {
  return {name, [options] { return FloodByGuest("--behaviour " + options); }, least};
}

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
    ByGuest("timers", "timer --timer-ns 1000 --vcpus 2", 500),
    // All pass the same limits, which the kernel tells once a second for each.
    ByGuest("many_storms", "pio --vms 50 --one-thread"),
    {"interrupts", FloodOfInterrupts, 5000},
    {"vms", FloodOfVms, 200},
    {"tracing", FloodOfTracing, 200},
};

class FloodTest : public E2eTest, public ::testing::WithParamInterface<FloodCase> {
 protected:
  // Starts VMs that each touch a forbidden port once.
  static absl::StatusOr<std::vector<Guest>> StartVictims() {
    std::vector<Guest> victims;
    for (int i = 0; i < kAtATime; ++i) {
      KVMSENTRY_ASSIGN_OR_RETURN(
          Guest victim, Guest::Start(absl::StrCat("--name ", Name("victim"),
                                                  " --behaviour pio --port 0x510 --count 1 "
                                                  "--then calm --seconds 600")));
      KVMSENTRY_RETURN_IF_ERROR(victim.Begin());
      victims.push_back(std::move(victim));
    }
    return victims;
  }

  // Reads until each of VICTIMS has its alert; removes those that had it.
  static absl::Status AwaitAlerts(AlertStream& stream, std::set<uint32_t>& victims) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (!victims.empty()) {
      KVMSENTRY_ASSIGN_OR_RETURN(const auto message, stream.Read(deadline - absl::Now()));
      if (!message.has_alert()) continue;
      const v1::Alert& alert = message.alert();
      if (alert.spec_id() != "port-denied" || alert.state() != v1::Alert::OPEN) continue;
      if (victims.erase(alert.vm().pid()) == 0) continue;
      EXPECT_THAT(alert.vm().name(), StartsWith(Name("victim")));
      EXPECT_EQ(alert.observed().value(), 0x510) << alert.ShortDebugString();
      EXPECT_FALSE(alert.observation_lost()) << alert.ShortDebugString();
    }
    return absl::OkStatus();
  }
};

TEST_P(FloodTest, EachVmThatBreaksANormMeanwhileIsTold) {
  // By no fault of the sensor: of more births in a second than its budget for them the others are
  // found at the next tick.
  forced_losses_ = {"over_budget"};
  // As many VMs as by default: those that are gone keep their slots until a walk misses them.
  StartDaemon({"storms.textproto", "burst.textproto", "sets.textproto"}, {"--max-vms", "512"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Flood> flood, GetParam().start());
  for (int told = 0; told < kVictims; told += kAtATime) {
    ASSERT_OK_AND_ASSIGN(const std::vector<Guest> victims, StartVictims());
    std::set<uint32_t> pids;
    for (const Guest& victim : victims) pids.insert(static_cast<uint32_t>(victim.pid()));
    ASSERT_OK(AwaitAlerts(stream, pids));
  }
  ASSERT_OK_AND_ASSIGN(const uint64_t times, flood->Stop());
  EXPECT_GE(times, GetParam().least);
  RecordProperty("times", std::to_string(times));
}

INSTANTIATE_TEST_SUITE_P(Floods, FloodTest, ::testing::ValuesIn(kFloods),
                         [](const auto& flood) { return flood.param.name; });

}  // namespace
}  // namespace kvmsentry
