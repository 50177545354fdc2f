#include "sensor/alert/hub.h"

#include <chrono>
#include <future>
#include <memory>
#include <stop_token>
#include <thread>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "sensor/alert/memory_journal.h"

namespace kvmsentry {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;

TEST(Hub, WaitReturnsAtOnceWhatIsWrittenAlready) {
  Hub hub(std::make_unique<MemoryJournal>(9));
  ASSERT_TRUE(hub.Publish({}).ok());
  EXPECT_EQ(hub.Wait({9, 0}, hours(1), {}), (Position{9, 1}));
}

TEST(Hub, WaitEndsWithItsTime) {
  const Hub hub(std::make_unique<MemoryJournal>(9));
  EXPECT_EQ(hub.Wait({9, 0}, nanoseconds(1), {}), (Position{9, 0}));
}

TEST(Hub, WaitEndsWithAnAlert) {
  Hub hub(std::make_unique<MemoryJournal>(9));
  auto waiting = std::async(std::launch::async, [&] { return hub.Wait({9, 0}, hours(1), {}); });
  ASSERT_TRUE(hub.Publish({}).ok());
  EXPECT_EQ(waiting.get(), (Position{9, 1}));
}

TEST(Hub, WaitEndsWithAStopRequest) {
  const Hub hub(std::make_unique<MemoryJournal>(9));
  std::stop_source stop;
  auto waiting = std::async(std::launch::async, [&] {
    return hub.Wait({9, 0}, hours(1), stop.get_token());
  });
  stop.request_stop();
  EXPECT_EQ(waiting.get(), (Position{9, 0}));
}

// What one subscriber saw: it must add up to all that was published.
struct Seen {
  uint64_t alerts = 0;
  uint64_t missing = 0;
  bool in_order = true;
};

Seen ReadAll(const Hub& hub, uint64_t total) {
  Seen seen;
  uint64_t last = 0;
  Cursor cursor = hub.ReadAfter(Position{9, 0});
  while (last < total) {
    const std::optional<StreamItem> item = *cursor.Next();
    if (!item) {
      hub.Wait({9, last}, hours(1), {});
    } else if (const Gap* gap = std::get_if<Gap>(&*item)) {
      seen.in_order &= gap->from.sequence == last + 1 && gap->to.sequence >= gap->from.sequence;
      seen.missing += gap->to.sequence - gap->from.sequence + 1;
      last = gap->to.sequence;
    } else {
      const uint64_t sequence = std::get<0>(*item)->position.sequence;
      seen.in_order &= sequence == last + 1;
      ++seen.alerts;
      last = sequence;
    }
  }
  return seen;
}

TEST(Hub, EverySubscriberSeesEachAlertOnceOrIsToldThatItIsMissing) {
  constexpr int kPublishers = 4;
  constexpr int kEach = 2'000;
  constexpr uint64_t kTotal = kPublishers * kEach;
  Hub hub(std::make_unique<MemoryJournal>(9, 32));
  std::vector<std::future<Seen>> readers;
  for (int i = 0; i < 8; ++i) {
    readers.push_back(std::async(std::launch::async, [&] { return ReadAll(hub, kTotal); }));
  }
  {
    std::vector<std::jthread> publishers;
    for (int i = 0; i < kPublishers; ++i) {
      publishers.emplace_back([&] {
        for (int n = 0; n < kEach; ++n) ASSERT_TRUE(hub.Publish({}).ok());
      });
    }
  }
  for (auto& reader : readers) {
    const Seen seen = reader.get();
    EXPECT_TRUE(seen.in_order);
    EXPECT_EQ(seen.alerts + seen.missing, kTotal);
    EXPECT_GE(seen.alerts, 32U);
  }
}

TEST(Hub, ASubscriberThatDoesNotReadHoldsNobodyUp) {
  Hub hub(std::make_unique<MemoryJournal>(9, 4));
  Cursor stuck = hub.ReadAfter(std::nullopt);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(hub.Publish({}).ok());
  EXPECT_EQ(ReadAll(hub, 100).alerts, 4U);
  const StreamItem first = stuck.Next().value().value();
  EXPECT_EQ(std::get<Gap>(first), (Gap{{9, 1}, {9, 96}, GapReason::kSlowSubscriber}));
}

}  // namespace
}  // namespace kvmsentry
