// What a silence matched is marked wherever alerts go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/rpc/convert.h"
#include "sensor/rpc/json.h"
#include "sensor/sink/journald.h"

namespace kvmsentry {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

JournaledAlert SilencedAlert(uint64_t silenced_by) {
  JournaledAlert alert;
  alert.position = {9, 1};
  alert.event.summary = "s";
  alert.silenced_by = silenced_by;
  return alert;
}

TEST(Silenced, IsMarkedInSystemdsJournal) {
  const auto fields = [](uint64_t silenced_by) {
    return JournaldFields(std::make_shared<const JournaledAlert>(SilencedAlert(silenced_by)));
  };
  EXPECT_THAT(fields(7), Contains("KVMSENTRY_SILENCED_BY=7"));
  EXPECT_THAT(fields(0), Not(Contains(StartsWith("KVMSENTRY_SILENCED_BY"))));
}

TEST(Silenced, IsMarkedInJson) {
  EXPECT_THAT(JsonLine(ToProto(SilencedAlert(7))), HasSubstr(R"("silenced_by":"7")"));
}

}  // namespace
}  // namespace kvmsentry
