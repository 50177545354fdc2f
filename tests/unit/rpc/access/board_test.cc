#include "sensor/rpc/access/board.h"

#include <memory>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The log of the whole process, while it lives.
class CapturedLog {
 public:
  CapturedLog() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_, /*force_flush=*/true)));
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }
  std::string Take() {
    std::string text = text_.str();
    text_.str("");
    return text;
  }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

TEST(AccessBoard, EachRefusalIsCountedAndOneInTenSecondsLogged) {
  CapturedLog log;
  AccessBoard board;
  for (int i = 0; i < 1000; ++i) board.Refuse(Refusal::kRole, "a call of x", {kNsPerSecond});
  EXPECT_EQ(board.refused(Refusal::kRole), 1000U);
  EXPECT_EQ(board.refused(Refusal::kRequests), 0U);
  const std::string first = log.Take();
  EXPECT_THAT(first, HasSubstr("refused: a call of x\n"));
  EXPECT_EQ(std::ranges::count(first, '\n'), 1);

  board.Refuse(Refusal::kRequests, "calls of y", {kNsPerSecond});
  EXPECT_THAT(log.Take(), HasSubstr("calls of y")) << "each kind has a line of its own";
  board.Refuse(Refusal::kRole, "a call of z", {12 * kNsPerSecond});
  EXPECT_THAT(log.Take(), HasSubstr("a call of z; 999 more since the last such line"));
  board.Refuse(Refusal::kRole, "a call of z", {13 * kNsPerSecond});
  EXPECT_EQ(log.Take(), "");
}

}  // namespace
}  // namespace kvmsentry
