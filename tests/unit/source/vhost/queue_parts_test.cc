#include "sensor/source/vhost/queue_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

QueueParts::Row Row(uint64_t device, uint32_t index, uint64_t first_ns, uint64_t kicks) {
  QueueParts::Row row{.device = device, .index = index, .first_ns = first_ns};
  row.count[KS_METER_VHOST_KICK] = kicks;
  return row;
}

class QueuePartsTest : public ::testing::Test {
 protected:
  // By the names of the parts.
  std::vector<std::pair<std::string, uint64_t>> Kicks(const std::vector<QueueParts::Row>& rows) {
    std::vector<std::pair<std::string, uint64_t>> kicks;
    for (const QueueParts::Part& part : parts_.Take(rows)) {
      kicks.emplace_back(PartText(part.id), part.count[KS_METER_VHOST_KICK]);
    }
    return kicks;
  }

  QueueParts parts_;
};

TEST_F(QueuePartsTest, DevicesAreNumberedAsTheyCome) {
  EXPECT_THAT(Kicks({}), IsEmpty());
  EXPECT_THAT(Kicks({Row(0xb, 1, 10, 3)}), ElementsAre(Pair("virtqueue-0.1", 3)));
  EXPECT_THAT(
      Kicks({Row(0xb, 1, 10, 3), Row(0xa, 0, 20, 7), Row(0xb, 0, 30, 5)}),
      ElementsAre(Pair("virtqueue-0.0", 5), Pair("virtqueue-0.1", 3), Pair("virtqueue-1.0", 7)));
}

TEST_F(QueuePartsTest, AQueueThatGetsAnotherRowCountsOn) {
  EXPECT_THAT(Kicks({Row(0xb, 1, 10, 3)}), ElementsAre(Pair("virtqueue-0.1", 3)));
  // The former is there once more, and has counted on.
  EXPECT_THAT(Kicks({Row(0xb, 1, 10, 4), Row(0xb, 1, 20, 2)}),
              ElementsAre(Pair("virtqueue-0.1", 6)));
  EXPECT_THAT(Kicks({Row(0xb, 1, 10, 4), Row(0xb, 1, 20, 5)}),
              ElementsAre(Pair("virtqueue-0.1", 9)))
      << "it rests for another tick";
  EXPECT_THAT(Kicks({Row(0xb, 1, 20, 5)}), ElementsAre(Pair("virtqueue-0.1", 9)));
  EXPECT_THAT(Kicks({}), IsEmpty());
  EXPECT_THAT(Kicks({Row(0xb, 1, 30, 1)}), ElementsAre(Pair("virtqueue-0.1", 10)));
}

// Else a VMM that opens and closes devices would have more and more of them.
TEST_F(QueuePartsTest, TheNumberOfADeviceThatIsGoneIsTheNextOnes) {
  Kicks({Row(0xa, 0, 10, 3), Row(0xb, 0, 20, 1)});
  EXPECT_THAT(Kicks({Row(0xb, 0, 20, 1), Row(0xc, 0, 30, 5)}),
              ElementsAre(Pair("virtqueue-0.0", 8), Pair("virtqueue-1.0", 1)));
}

}  // namespace
}  // namespace kvmsentry
