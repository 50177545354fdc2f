#include "sensor/daemon/publisher.h"

#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "sensor/alert/memory_journal.h"

namespace kvmsentry {
namespace {

// The wall clock may be set while the kernel's goes on.
class FakeClock final : public Clock {
 public:
  KernelTime Now() const override { return now; }
  absl::Time WallNow() const override { return wall; }
  KernelTime now{100 * kNsPerSecond};
  absl::Time wall = absl::FromUnixSeconds(5'000);
};

// One that takes nothing.
class FullJournal final : public Journal {
 public:
  absl::Status Append(JournaledAlert) override {
    return absl::ResourceExhaustedError("no space left");
  }
  absl::StatusOr<Page> Read(Position, size_t) const override { return Page{}; }
  absl::StatusOr<std::vector<AlertPtr>> ReadBefore(Position, size_t) const override {
    return std::vector<AlertPtr>();
  }
  std::vector<AlertPtr> Open() const override { return {}; }
  JournalBounds bounds() const override { return {{{.epoch = 1, .oldest = 1, .last = 0}}}; }
  uint64_t appended() const override { return 0; }
  uint64_t visible() const override { return 0; }
  size_t capacity() const override { return 1; }
  JournalState state() const override { return {}; }
  void OnVisible(std::function<void(Position)>) override {}
  void Tend(KernelTime) override {}
  void Flush(std::chrono::nanoseconds) override {}
};

AlertEvent Event(AlertState state, int64_t at_seconds) {
  AlertEvent event;
  event.state = state;
  event.spec_id = "storm";
  event.vm.id = {7};
  event.opened_at = {90 * kNsPerSecond};
  event.at = {at_seconds * kNsPerSecond};
  return event;
}

TEST(Publisher, AnAlertsOpeningIsToldAlikeAlthoughTheClocksDrift) {
  FakeClock clock;
  Hub hub(std::make_unique<MemoryJournal>(9));
  HostFacts host;
  host.node = "n";
  Publisher publisher(host, clock, hub);
  publisher.Publish(Event(AlertState::kOpen, 90));
  clock.now = clock.now + 10 * kNsPerSecond;
  clock.wall = absl::FromUnixSeconds(8'000);  // somebody set it
  publisher.Publish(Event(AlertState::kCleared, 105));
  const auto alerts = hub.journal().Read({9, 0}, 10)->alerts;
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[0]->host.node, "n");
  EXPECT_EQ(alerts[0]->at, absl::FromUnixSeconds(4'990));
  EXPECT_EQ(alerts[0]->opened_at, absl::FromUnixSeconds(4'990));
  EXPECT_EQ(alerts[1]->opened_at, absl::FromUnixSeconds(4'990));
  EXPECT_EQ(alerts[1]->at, absl::FromUnixSeconds(7'995));
  EXPECT_EQ(publisher.refused(), 0U);
}

TEST(Publisher, CountsWhatTheJournalRefuses) {
  FakeClock clock;
  Hub hub(std::make_unique<FullJournal>());
  Publisher publisher({}, clock, hub);
  publisher.Publish(Event(AlertState::kOpen, 90));
  publisher.Publish(Event(AlertState::kCleared, 91));
  EXPECT_EQ(publisher.refused(), 2U);
}

TEST(Publisher, MarksWhatIsSilencedAtThatStep) {
  FakeClock clock;
  Hub hub(std::make_unique<MemoryJournal>(9));
  uint64_t silence = 7;
  Publisher publisher({}, clock, hub, [&silence](const AlertEvent&) { return silence; });
  publisher.Publish(Event(AlertState::kOpen, 90));
  silence = 0;
  publisher.Publish(Event(AlertState::kUpdated, 91));
  const auto page = hub.journal().Read({}, 10);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->alerts.size(), 2U);
  EXPECT_EQ(page->alerts[0]->silenced_by, 7U);
  EXPECT_TRUE(page->alerts[0]->muted);
  EXPECT_EQ(page->alerts[1]->silenced_by, 0U);
  EXPECT_FALSE(page->alerts[1]->muted);
}

}  // namespace
}  // namespace kvmsentry
