#include "sensor/rpc/request.h"

#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

v1::SubscribeRequest Parse(const std::string& text) {
  v1::SubscribeRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  return request;
}

TEST(ReadSubscribeRequest, ReadsEveryField) {
  const auto read = ReadRequest(Parse(R"(since { epoch: 7 sequence: 42 } follow: true
      filter { vm: "web-*" vm: "db" point: K2 point: R5 min_severity: WARNING spec: "*-storm" })"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->since, (Position{7, 42}));
  EXPECT_TRUE(read->follow);
  EXPECT_FALSE(read->only_new);
  EXPECT_THAT(read->filter.vm, ElementsAre("web-*", "db"));
  EXPECT_THAT(read->filter.points, ElementsAre(Point::kK2, Point::kR5));
  EXPECT_EQ(read->filter.min_severity, Severity::kWarning);
  EXPECT_THAT(read->filter.spec, ElementsAre("*-storm"));
}

TEST(ReadSubscribeRequest, TakesAnEmptyOne) {
  const auto read = ReadRequest(v1::SubscribeRequest());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->since, std::nullopt);
  EXPECT_TRUE(read->filter.Matches(JournaledAlert{}));
}

struct Case {
  std::string request;
  std::string field;
};

TEST(ReadSubscribeRequest, NamesTheFieldThatIsWrong) {
  std::string many_patterns = "filter {", many_points = "filter {";
  for (int i = 0; i < 33; ++i) many_patterns += " spec: 'a'", many_points += " point: K1";
  const Case cases[] = {
      {"since { sequence: 1 }", "since.epoch: "},
      {"since {}", "since.epoch: "},
      {"since { epoch: 1 } only_new: true", "only_new: "},
      {"filter { vm: 'a' vm: '' }", "filter.vm[1]: "},
      {"filter { vm: '" + std::string(257, 'a') + "' }", "filter.vm[0]: "},
      {many_patterns + " }", "filter.spec: "},
      {many_points + " }", "filter.point: "},
      {"filter { point: K1 point: POINT_UNSPECIFIED }", "filter.point[1]: "},
      {"filter { point: 9 }", "filter.point[0]: "},
      {"filter { min_severity: 5 }", "filter.min_severity: "},
      {"filter { min_severity: -1 }", "filter.min_severity: "},
  };
  for (const Case& c : cases) {
    const absl::Status status = ReadRequest(Parse(c.request)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.request;
    EXPECT_THAT(std::string(status.message()), StartsWith(c.field));
  }
}

TEST(ReadListVmsRequest, ChecksItsPatterns) {
  v1::ListVmsRequest request;
  request.add_vm("web-*");
  EXPECT_THAT(*ReadRequest(request), ElementsAre("web-*"));
  request.add_vm("");
  EXPECT_THAT(std::string(ReadRequest(request).status().message()), StartsWith("vm[1]: "));
}

}  // namespace
}  // namespace kvmsentry
