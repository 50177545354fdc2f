#include "sensor/sink/runner.h"

#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/alert/memory_journal.h"
#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wait.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What a sink was given; the test outlives the sink.
struct Written {
  std::mutex mutex;
  std::vector<std::string> items;
  bool fails = false;

  std::vector<std::string> Get() {
    const std::lock_guard lock(mutex);
    return items;
  }
  void SetFails(bool value) {
    const std::lock_guard lock(mutex);
    fails = value;
  }
};

class ListSink final : public Sink {
 public:
  explicit ListSink(Written& written) : written_(written) {}
  std::string name() const override { return "list"; }
  absl::Status Write(const StreamItem& item) override {
    const std::lock_guard lock(written_.mutex);
    if (written_.fails) return absl::UnavailableError("is full");
    written_.items.push_back((std::holds_alternative<Gap>(item) ? "gap to " : "") +
                             ToString(PositionAfter(item)));
    return absl::OkStatus();
  }

 private:
  Written& written_;
};

class RunnerTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK_AND_ASSIGN(dir_, TempDir::Make()); }
  std::unique_ptr<SinkRunner> Start() {
    return std::make_unique<SinkRunner>(hub_, std::make_unique<ListSink>(written_), *dir_ / "list");
  }
  void Publish(int count) {
    for (int i = 0; i < count; ++i) ASSERT_OK(hub_.Publish({}));
  }
  bool Wrote(size_t count) {
    return WaitUntil([&] { return written_.Get().size() == count; });
  }

  std::optional<TempDir> dir_;
  Written written_;
  Hub hub_{std::make_unique<MemoryJournal>(9, 4)};
};

TEST_F(RunnerTest, ResumesWhereItEnded) {
  Publish(1);
  auto runner = Start();
  ASSERT_TRUE(Wrote(1));
  Publish(1);
  ASSERT_TRUE(Wrote(2));
  runner.reset();
  Publish(1);
  runner = Start();
  ASSERT_TRUE(Wrote(3));
  EXPECT_THAT(written_.Get(), ElementsAre("9:1", "9:2", "9:3"));
}

TEST_F(RunnerTest, WritesAtItsEndWhatIsThere) {
  Publish(3);
  Start().reset();
  EXPECT_THAT(written_.Get(), ElementsAre("9:1", "9:2", "9:3"));
}

TEST_F(RunnerTest, SaysWhatFailsAndWritesItLater) {
  written_.SetFails(true);
  const auto runner = Start();
  Publish(1);
  ASSERT_TRUE(WaitUntil([&] { return !runner->problem().empty(); }));
  EXPECT_THAT(runner->problem(), HasSubstr("list: is full"));
  Publish(5);
  written_.SetFails(false);
  ASSERT_TRUE(WaitUntil([&] { return runner->problem().empty(); }));
  // What the journal kept no longer meanwhile is a gap.
  ASSERT_TRUE(WaitUntil([&] {
    const auto items = written_.Get();
    return !items.empty() && items.back() == "9:6";
  }));
}

TEST_F(RunnerTest, APositionOfAnotherJournalIsAGap) {
  std::ofstream(*dir_ / "list") << "7:5\n";
  Publish(1);
  const auto runner = Start();
  ASSERT_TRUE(Wrote(2));
  EXPECT_THAT(written_.Get(), ElementsAre("gap to 9:0", "9:1"));
}

}  // namespace
}  // namespace kvmsentry
