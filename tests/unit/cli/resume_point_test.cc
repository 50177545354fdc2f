#include "sensor/cli/resume_point.h"

#include <string>

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

// The request after a new stream in which MESSAGES came.
std::string RequestAfter(v1::SubscribeRequest request, const std::vector<std::string>& messages) {
  ResumePoint point(std::move(request));
  point.StreamBegins();
  for (const std::string& text : messages) {
    v1::SubscribeResponse message;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
    point.Passed(message);
  }
  return point.request().ShortDebugString();
}

constexpr char kFirst[] = "heartbeat { last { epoch: 9 sequence: 50 } }";

TEST(ResumePoint, TheFirstHeartbeatSaysNothingOfWhatWasReceived) {
  EXPECT_EQ(RequestAfter({}, {kFirst}), "");
}

TEST(ResumePoint, GoesOnAfterTheLastAlertOrHeartbeat) {
  EXPECT_EQ(RequestAfter({}, {kFirst, "alert { position { epoch: 9 sequence: 3 } }"}),
            "since { epoch: 9 sequence: 3 }");
  EXPECT_EQ(RequestAfter({}, {kFirst, "alert { position { epoch: 9 sequence: 3 } }",
                              "heartbeat { last { epoch: 9 sequence: 70 } }"}),
            "since { epoch: 9 sequence: 70 }");
}

TEST(ResumePoint, WhoWantsOnlyNewGoesOnWhereItBegan) {
  v1::SubscribeRequest only_new;
  only_new.set_only_new(true);
  only_new.set_follow(true);
  EXPECT_EQ(RequestAfter(only_new, {}), "follow: true only_new: true");
  EXPECT_EQ(RequestAfter(only_new, {kFirst}), "since { epoch: 9 sequence: 50 } follow: true");
}

TEST(ResumePoint, GoesOnAfterAGapButNotAtAPositionThatIsNotOfTheStream) {
  EXPECT_EQ(RequestAfter({}, {kFirst, R"(gap { from { epoch: 8 sequence: 1 }
                                         to { epoch: 9 } reason: EPOCH_CHANGED })"}),
            "since { epoch: 9 }");
  EXPECT_EQ(RequestAfter({}, {kFirst, R"(gap { from { epoch: 9 sequence: 51 }
                                         to { epoch: 9 sequence: 90 } reason: NOT_YET_WRITTEN })"}),
            "");
}

}  // namespace
}  // namespace kvmsentry
