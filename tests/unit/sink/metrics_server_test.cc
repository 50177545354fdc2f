#include "sensor/sink/metrics_server.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include "tests/support/assert_ok.h"

namespace kvmsentry {
namespace {

TEST(MetricsServer, ServesThePageAndNothingElse) {
  ASSERT_OK_AND_ASSIGN(const auto server, MetricsServer::Start({"127.0.0.1", 0}, [] {
                         return std::string("page\n");
                       }));
  httplib::Client client("127.0.0.1", server->port());
  const auto page = client.Get("/metrics");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->body, "page\n");
  EXPECT_EQ(page->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(client.Get("/")->status, 404);
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
