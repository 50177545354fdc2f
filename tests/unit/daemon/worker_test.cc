#include "sensor/daemon/worker.h"

#include <future>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/support/wait.h"

namespace kvmsentry {
namespace {

bool IsReadable(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, 0) == 1;
}

class WorkerTest : public ::testing::Test {
 protected:
  bool FinishInTime() {
    return WaitUntil([this] { return worker_->Finish(); });
  }
  std::unique_ptr<Worker> worker_ = Worker::Make(SystemClock()).value();
};

TEST_F(WorkerTest, RunsAJobElsewhereAndHandsOverWhatItFoundHere) {
  const auto here = std::this_thread::get_id();
  std::string got;
  worker_->Start(
      "working", [] { return std::this_thread::get_id(); },
      [&](std::thread::id there) {
        EXPECT_NE(there, here);
        EXPECT_EQ(std::this_thread::get_id(), here);
        EXPECT_FALSE(worker_->running());
        got = "done";
      });
  ASSERT_TRUE(worker_->running());
  EXPECT_STREQ(worker_->running()->what, "working");
  ASSERT_TRUE(FinishInTime());
  EXPECT_EQ(got, "done");
  EXPECT_FALSE(worker_->running());
  EXPECT_FALSE(worker_->Finish());
}

TEST_F(WorkerTest, TheLoopDoesNotWaitForAJobThatHangs) {
  std::promise<void> go_on;
  bool done = false;
  worker_->Start(
      "hanging",
      [&] {
        go_on.get_future().wait();
        return 1;
      },
      [&](int) { done = true; });
  EXPECT_FALSE(worker_->Finish());
  EXPECT_FALSE(IsReadable(worker_->fd()));
  EXPECT_TRUE(worker_->running());
  go_on.set_value();
  ASSERT_TRUE(FinishInTime());
  EXPECT_TRUE(done);
}

TEST_F(WorkerTest, ItsDescriptorTellsThatAJobHasEndedAndRestsAfterIt) {
  for (int round = 0; round < 3; ++round) {
    worker_->Start(
        "working", [] { return 1; }, [](int) {});
    ASSERT_TRUE(WaitUntil([&] { return IsReadable(worker_->fd()); }));
    EXPECT_TRUE(worker_->Finish());
    EXPECT_FALSE(IsReadable(worker_->fd()));
  }
}

TEST_F(WorkerTest, TheNextJobCanBeStartedWhereOneIsHandedOver) {
  int second = 0;
  worker_->Start(
      "first", [] { return 1; },
      [&](int one) {
        worker_->Start(
            "second", [one] { return one + 1; }, [&](int two) { second = two; });
      });
  ASSERT_TRUE(FinishInTime());
  ASSERT_TRUE(FinishInTime());
  EXPECT_EQ(second, 2);
}

TEST_F(WorkerTest, WhatIsUnderWayAtTheEndIsDropped) {
  bool done = false;
  worker_->Start(
      "working", [] { return 1; }, [&](int) { done = true; });
  worker_.reset();
  EXPECT_FALSE(done);
}

}  // namespace
}  // namespace kvmsentry
