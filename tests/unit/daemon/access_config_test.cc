#include "sensor/daemon/access_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/daemon/options.h"
#include "tests/support/assert_ok.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ParsedOptions ParseAccess(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"kvmsentryd", "--config", "/dev/null"});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ParseDaemonOptions(static_cast<int>(argv.size()), argv.data());
}

std::string AccessRefusal(const std::vector<std::string>& arguments) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(ParseAccess(arguments).exit_code, 2);
  return ::testing::internal::GetCapturedStderr();
}

const std::vector<std::string> kTcp = {"--listen",  "127.0.0.1:0", "--tls-cert",      "c",
                                       "--tls-key", "k",           "--tls-client-ca", "a"};

std::vector<std::string> TcpAnd(const std::vector<std::string>& more) {
  std::vector<std::string> all = kTcp;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(AccessConfig, WithoutListenThereIsNoTcp) {
  const ParsedOptions parsed = ParseAccess({});
  EXPECT_FALSE(parsed.exit_code);
  ASSERT_OK_AND_ASSIGN(const AccessOptions access, ReadAccess(parsed.options.access));
  EXPECT_FALSE(access.tcp);
  EXPECT_THAT(access.admins.uids, ElementsAre());
}

TEST(AccessConfig, TcpIsConfiguredAsAWhole) {
  const ParsedOptions parsed = ParseAccess(
      TcpAnd({"--viewer-san", "*.example.org", "--viewer-san", "spiffe://example.org/v",
              "--admin-san", "ops.example.org", "--admin-user", "root", "--max-connections", "7"}));
  EXPECT_FALSE(parsed.exit_code);
  ASSERT_OK_AND_ASSIGN(const AccessOptions access, ReadAccess(parsed.options.access));
  ASSERT_TRUE(access.tcp);
  EXPECT_EQ(access.tcp->endpoint.host, "127.0.0.1");
  EXPECT_EQ(access.tcp->files.client_ca, "a");
  EXPECT_THAT(access.tcp->roles.viewers, ElementsAre("*.example.org", "spiffe://example.org/v"));
  EXPECT_THAT(access.tcp->roles.admins, ElementsAre("ops.example.org"));
  EXPECT_THAT(access.admins.uids, ElementsAre(0U));
  EXPECT_EQ(access.max_connections, 7U);
}

TEST(AccessConfig, TcpWithoutClientCertificatesIsRefused) {
  EXPECT_THAT(AccessRefusal({"--listen", "0.0.0.0:1"}),
              HasSubstr("--listen 0.0.0.0:1 without --tls-cert, --tls-key, --tls-client-ca; TCP is "
                        "served to clients with a certificate only"));
  for (size_t left_out = 2; left_out < kTcp.size(); left_out += 2) {
    std::vector<std::string> arguments = TcpAnd({"--admin-san", "a.b"});
    const std::string option = arguments[left_out];
    arguments.erase(arguments.begin() + static_cast<long>(left_out),
                    arguments.begin() + static_cast<long>(left_out) + 2);
    EXPECT_THAT(AccessRefusal(arguments), HasSubstr("without " + option));
  }
  EXPECT_THAT(AccessRefusal({"--tls-key", "k"}), HasSubstr("--tls-key without --listen"));
}

TEST(AccessConfig, TcpThatNobodyMayUseIsRefused) {
  EXPECT_THAT(AccessRefusal(kTcp), HasSubstr("nobody would have a role"));
}

TEST(AccessConfig, WrongValuesAreRefused) {
  EXPECT_THAT(AccessRefusal({"--listen", "1234"}), HasSubstr("is no endpoint"));
  EXPECT_THAT(AccessRefusal(TcpAnd({"--admin-san", "*"})), HasSubstr("matches whatever there is"));
  EXPECT_THAT(AccessRefusal({"--max-connections", "0"}), HasSubstr("--max-connections"));
  EXPECT_THAT(AccessRefusal({"--max-requests", "-1"}), HasSubstr("--max-requests"));
}

TEST(AccessConfig, AnAdminWhoDoesNotExistIsRefused) {
  AccessConfig config;
  config.admin_users = {"no-such-user"};
  EXPECT_EQ(ReadAccess(config).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace kvmsentry
