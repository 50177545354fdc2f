// A real Prometheus scrapes the daemon, and takes its metrics and our rules for good.
#include <fstream>

#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

constexpr char kPrometheus[] = "/usr/bin/prometheus";
constexpr char kPromtool[] = "/usr/bin/promtool";
constexpr char kRules[] = KVMSENTRY_DEPLOY "/prometheus/kvmsentry.rules.yml";
constexpr char kScrape[] = KVMSENTRY_DEPLOY "/prometheus/scrape.yml";
constexpr char kRuleTests[] = KVMSENTRY_DEPLOY "/prometheus/kvmsentry.rules.test.yml";

// One that nobody has at the moment.
int FreePort() {
  const Fd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(probe.get(), generic, size), 0);
  EXPECT_EQ(getsockname(probe.get(), generic, &size), 0);
  return ntohs(address.sin_port);
}

std::string Get(int port, const std::string& path) {
  httplib::Client client("127.0.0.1", port);
  const auto answer = client.Get(path.c_str());
  return answer ? answer->body : "";
}

class MetricsTest : public FewHooksTest {
 protected:
  void SetUp() override {
    FewHooksTest::SetUp();
    if (HasFatalFailure()) return;
    port_ = FreePort();
    StartDaemon({"chatter.textproto"}, {"--metrics-listen", absl::StrCat("127.0.0.1:", port_)});
  }
  int port_ = 0;
};

TEST_F(MetricsTest, PromtoolTakesThem) {
  const std::string file = place().file("metrics.txt");
  std::ofstream(file) << Get(port_, "/metrics");
  ASSERT_OK_AND_ASSIGN(const Finished checked,
                       RunToEnd({"sh", "-c", absl::StrCat(kPromtool, " check metrics < ", file)}));
  EXPECT_EQ(checked.exit_code, 0) << checked.errors;
  EXPECT_EQ(checked.errors, "");
  EXPECT_EQ(Get(port_, "/other"), "");
}

TEST_F(MetricsTest, PromtoolTakesTheRules) {
  ASSERT_OK_AND_ASSIGN(const Finished checked, RunToEnd({kPromtool, "check", "rules", kRules}));
  EXPECT_EQ(checked.exit_code, 0) << checked.errors;
  ASSERT_OK_AND_ASSIGN(const Finished tested, RunToEnd({kPromtool, "test", "rules", kRuleTests}));
  EXPECT_EQ(tested.exit_code, 0) << tested.errors << ::testing::PrintToString(tested.lines);
}

TEST_F(MetricsTest, PromtoolTakesTheExampleOfAScrape) {
  ASSERT_OK_AND_ASSIGN(const Finished checked, RunToEnd({kPromtool, "check", "config", kScrape}));
  EXPECT_EQ(checked.exit_code, 0) << checked.errors << ::testing::PrintToString(checked.lines);
}

TEST_F(MetricsTest, PrometheusScrapesThem) {
  const int web = FreePort();
  const std::string config = place().file("prometheus.yml");
  std::ofstream(config) << "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
                        << "rule_files: ['" << kRules << "']\n"
                        << "scrape_configs:\n- job_name: kvmsentry\n  static_configs:\n"
                        << "  - targets: ['127.0.0.1:" << port_ << "']\n";
  ASSERT_OK_AND_ASSIGN(Process prometheus,
                       Process::Start({kPrometheus, absl::StrCat("--config.file=", config),
                                       absl::StrCat("--storage.tsdb.path=", place().file("tsdb")),
                                       absl::StrCat("--web.listen-address=127.0.0.1:", web)}));
  const auto query = [&](const std::string& expression) {
    return Get(web, "/api/v1/query?query=" + expression);
  };
  ASSERT_TRUE(WaitUntil([&] {
    return absl::StrContains(query("kvmsentry_vms"), "\"state\":\"watched\"");
  })) << prometheus.Errors();
  EXPECT_THAT(query("up"), HasSubstr(",\"1\"]"));
  EXPECT_THAT(query("kvmsentry_lag_seconds"), HasSubstr("\"job\":\"kvmsentry\""));
  // The rule on the sensor's death: its alert is pending once the daemon has gone.
  StopDaemon();
  EXPECT_TRUE(WaitUntil([&] { return absl::StrContains(query("ALERTS"), "KvmsentryDown"); }));
}

}  // namespace
}  // namespace kvmsentry
