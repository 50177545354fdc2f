#include "tests/e2e/flood_test.h"

#include "tests/support/host.h"

namespace kvmsentry {
namespace {

using ::testing::StartsWith;

constexpr uint64_t kAtATime = 10;

// The lab's one processor is the flood's, too.
uint64_t Victims() { return IsLab() ? 30 : 100; }

}  // namespace

absl::StatusOr<std::vector<Guest>> FloodTest::StartVictims() {
  std::vector<Guest> victims;
  for (uint64_t i = 0; i < kAtATime; ++i) {
    KVMSENTRY_ASSIGN_OR_RETURN(Guest victim,
                               Guest::Start(absl::StrCat("--name ", Name("victim"),
                                                         " --behaviour pio --port 0x510 --count 1 "
                                                         "--then calm --seconds 600")));
    KVMSENTRY_RETURN_IF_ERROR(victim.Begin());
    victims.push_back(std::move(victim));
  }
  return victims;
}

absl::Status FloodTest::AwaitAlerts(AlertStream& stream, std::set<uint32_t>& victims) {
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

TEST_P(FloodTest, EachVmThatBreaksANormMeanwhileIsTold) {
  // By no fault of the sensor: of more births in a second than its budget for them the others are
  // found at the next tick.
  forced_losses_ = {"over_budget"};
  // As many VMs as by default: those that are gone keep their slots until a walk misses them.
  StartDaemon({"storms.textproto", "burst.textproto", "sets.textproto"}, {"--max-vms", "512"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Flood> flood, GetParam().start());
  for (uint64_t told = 0; told < Victims(); told += kAtATime) {
    ASSERT_OK_AND_ASSIGN(const std::vector<Guest> victims, StartVictims());
    std::set<uint32_t> pids;
    for (const Guest& victim : victims) pids.insert(static_cast<uint32_t>(victim.pid()));
    ASSERT_OK(AwaitAlerts(stream, pids));
  }
  ASSERT_OK_AND_ASSIGN(const uint64_t times, flood->Stop());
  EXPECT_GE(times * 100, GetParam().least * Victims());
  RecordProperty("times", std::to_string(times));
}

}  // namespace kvmsentry
