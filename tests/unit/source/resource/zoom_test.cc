#include "sensor/source/resource/zoom.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

constexpr KernelTime At(int64_t seconds) { return {seconds * kNsPerSecond}; }

TEST(ZoomTest, AQuietHostHasNone) {
  Zoom zoom;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(zoom.Judge(false, At(i)));
}

TEST(ZoomTest, StaysForAWhileAfterTheLastDeviation) {
  Zoom zoom;
  EXPECT_TRUE(zoom.Judge(true, At(1)));
  EXPECT_TRUE(zoom.Judge(false, At(10)));
  EXPECT_TRUE(zoom.Judge(true, At(11)));
  EXPECT_TRUE(zoom.Judge(false, At(20)));
  EXPECT_FALSE(zoom.Judge(false, At(21)));
}

TEST(ZoomTest, DoesNotComeBackAtOnce) {
  Zoom zoom;
  EXPECT_TRUE(zoom.Judge(true, At(1)));
  EXPECT_FALSE(zoom.Judge(false, At(11)));
  EXPECT_FALSE(zoom.Judge(true, At(12)));
  EXPECT_TRUE(zoom.Judge(true, At(16)));
}

}  // namespace
}  // namespace kvmsentry
