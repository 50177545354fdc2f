#include "sensor/base/endpoint.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(ParseEndpoint, TakesAnAddressAndAPort) {
  EXPECT_EQ(ParseEndpoint("127.0.0.1:9876")->host, "127.0.0.1");
  EXPECT_EQ(ParseEndpoint("[::1]:0")->host, "::1");
  EXPECT_EQ(ParseEndpoint("[::1]:65535")->port, 65535);
  for (const char* wrong : {"", ":1", "::1:9876", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                            "127.0.0.1:-1", "127.0.0.1:x", "[]:1"}) {
    EXPECT_FALSE(ParseEndpoint(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace kvmsentry
