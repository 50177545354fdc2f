#include "sensor/daemon/process_survey.h"

#include <gmock/gmock.h>

#include "tests/unit/inventory/inventory_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ProcessSurvey, ReadsAProcessAgainOnlyNowAndThenOrIfItIsAnother) {
  FakeProcesses processes;
  processes.Add(100, "web");
  ProcessSurvey survey(&processes);
  const std::vector<int32_t> pids = {100, 100, 7, 0};
  const ProcessAnswers answers = survey.Ask(pids, At(10));
  EXPECT_THAT(answers, SizeIs(2));
  EXPECT_EQ(answers.at(100)->pid, 100);
  EXPECT_FALSE(answers.at(7).ok());
  EXPECT_EQ(processes.reads, 2);
  EXPECT_EQ(survey.Ask(std::vector{100}, At(14)).at(100)->cgroup, "/machine.slice/web");
  EXPECT_EQ(processes.reads, 2);
  // Another process by its number.
  processes.Add(100, "other", At(12));
  EXPECT_EQ(survey.Ask(std::vector{100}, At(14)).at(100)->cgroup, "/machine.slice/other");
  EXPECT_EQ(processes.reads, 3);
  survey.Ask(std::vector{100}, At(19));
  EXPECT_EQ(processes.reads, 4);
}

// An inventory whose processes are read by somebody else.
class ProcessBoardTest : public ::testing::Test {
 protected:
  InventoryChanges Look(KernelTime now) {
    board_.Begin(now);
    InventoryChanges changes = inventory_.Sync(rows_, nullptr, now);
    board_.End();
    return changes;
  }
  void Answer(KernelTime now) { board_.Answer(survey_.Ask(board_.Wanted(), now)); }

  FakeProcesses processes_;
  ProcessSurvey survey_{&processes_};
  ProcessBoard board_;
  Inventory inventory_{&board_};
  std::vector<ks_vm_row> rows_;
};

TEST_F(ProcessBoardTest, AVmAppearsByItsRowOnceItsCreatorWasRead) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100)};
  EXPECT_THAT(Look(At(11)).appeared, IsEmpty());
  EXPECT_THAT(board_.Wanted(), ElementsAre(100));
  EXPECT_EQ(processes_.reads, 0);
  Answer(At(11));
  EXPECT_THAT(board_.Wanted(), IsEmpty());
  const auto appeared = Look(At(11)).appeared;
  ASSERT_THAT(appeared, SizeIs(1));
  EXPECT_EQ(appeared[0].facts.name, "web");
  EXPECT_EQ(appeared[0].facts.pid, 100);
}

TEST_F(ProcessBoardTest, OneWhoseCreatorIsGoneAppearsAsSoonAsThatIsKnown) {
  rows_ = {Row(kA, 1, 100)};
  Look(At(11));
  Answer(At(11));
  EXPECT_EQ(Look(At(11)).appeared.at(0).facts.name, "vm-100");
}

// So that what it did is still judged, with its name.
TEST_F(ProcessBoardTest, AVmThatIsGoneBeforeItsCreatorWasReadAppearsAllTheSame) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100)};
  Look(At(11));
  rows_[0].state = KS_VM_REPLACED;
  const InventoryChanges pending = Look(At(11));
  EXPECT_THAT(pending.appeared, IsEmpty());
  EXPECT_THAT(pending.gone, IsEmpty());
  Answer(At(11));
  const InventoryChanges changes = Look(At(11));
  ASSERT_THAT(changes.appeared, SizeIs(1));
  EXPECT_EQ(changes.appeared[0].facts.name, "web");
  ASSERT_THAT(changes.gone, SizeIs(1));
  EXPECT_EQ(changes.gone[0].id, VmId{1});
}

TEST_F(ProcessBoardTest, AWorkerThatHangsKeepsNoVmFromAppearing) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100)};
  EXPECT_THAT(Look(At(11)).appeared, IsEmpty());
  EXPECT_THAT(Look(At(12)).appeared, IsEmpty());
  EXPECT_EQ(Look(At(13)).appeared.at(0).facts.name, "vm-100");
}

TEST_F(ProcessBoardTest, AnAnswerIsOfOneLookOnly) {
  processes_.Add(100, "web");
  board_.Answer(survey_.Ask(std::vector{100}, At(10)));
  EXPECT_THAT(Look(At(10)).appeared, IsEmpty());
  rows_ = {Row(kA, 1, 100)};
  EXPECT_THAT(Look(At(11)).appeared, IsEmpty()) << "the pid may be another process's by now";
}

}  // namespace
}  // namespace kvmsentry
