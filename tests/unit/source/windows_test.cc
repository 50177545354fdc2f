#include "sensor/source/kvm/windows.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

given::Window Ports(uint64_t first, uint64_t last) {
  return {.ports = true, .first = first, .last = last, .device = "", .origin = {}};
}

given::Window Addresses(uint64_t first, uint64_t last) {
  return {.ports = false, .first = first, .last = last, .device = "", .origin = {}};
}

TEST(Windows, TellWhichAccessesReachADevice) {
  Given given;
  given.windows = {Ports(0x60, 0x64), Ports(0x3f8, 0x3ff), Addresses(0xfed00000, 0xfed003ff)};
  given.windows_whole = true;
  const auto windows = Windows::Of(given);
  ASSERT_TRUE(windows);
  EXPECT_TRUE(windows->HavePort(0x60));
  EXPECT_TRUE(windows->HavePort(0x3ff));
  EXPECT_FALSE(windows->HavePort(0x65));
  EXPECT_FALSE(windows->HavePort(0xfed0));
  EXPECT_TRUE(windows->HavePage(0xfed00000));
  EXPECT_FALSE(windows->HavePage(0xfed01000));
  EXPECT_FALSE(windows->HavePage(0x60));
}

TEST(Windows, AreUnknownWhereNotAllAreKnown) {
  Given given;
  given.windows = {Ports(0x402, 0x402)};
  EXPECT_FALSE(Windows::Of(given));
}

}  // namespace
}  // namespace kvmsentry
