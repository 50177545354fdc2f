#include "sensor/sink/metrics_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "tests/support/assert_ok.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsServer, ServesThePageAPointerToItAndNothingElse) {
  ASSERT_OK_AND_ASSIGN(const auto server, MetricsServer::Start({"127.0.0.1", 0}, [] {
                         return std::string("page\n");
                       }));
  httplib::Client client("127.0.0.1", server->port());
  const auto page = client.Get("/metrics");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->body, "page\n");
  EXPECT_EQ(page->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  const auto root = client.Get("/");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->status, 200);
  EXPECT_THAT(root->body, HasSubstr("href=\"/metrics\""));
  EXPECT_THAT(root->body, Not(HasSubstr("page")));  // no names of VMs
  EXPECT_EQ(client.Get("/other")->status, 404);
  EXPECT_EQ(client.Post("/metrics", std::string(1 << 20, 'x'), "text/plain")->status, 413);
}

TEST(MetricsServer, APortInUseIsAnError) {
  ASSERT_OK_AND_ASSIGN(const auto server,
                       MetricsServer::Start({"127.0.0.1", 0}, [] { return std::string(); }));
  EXPECT_FALSE(
      MetricsServer::Start({"127.0.0.1", server->port()}, [] { return std::string(); }).ok());
}

}  // namespace
}  // namespace kvmsentry
