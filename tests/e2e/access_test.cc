// Who may do what, of the real daemon: by the user who connects, and by certificate.
#include <cstring>
#include <fstream>

#include <grpcpp/create_channel_posix.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/match.h"

#include "sensor/rpc/connect.h"
#include "tests/e2e/fixture.h"
#include "tests/support/as_user.h"
#include "tests/support/certificate.h"
#include "tests/support/raw_call.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr uid_t kAdmin = kSomebody + 1;
// There is none: who may call it hears that, who may not, what it needs.
constexpr char kAdminMethod[] = "/kvmsentry.v1.TestAdmin/Do";

class AccessTest : public FewHooksTest {
 protected:
  // What a call of an admin service says to UID, a member of the socket's group.
  std::string AdminCallBy(uid_t uid) {
    std::string answer;
    AsUser(uid, [&] {
      Fd connection = ConnectUnix(place().socket());
      if (!connection) return;
      answer =
          CallRaw(grpc::CreateInsecureChannelFromFd("test", connection.release()), kAdminMethod, "")
              .status()
              .ToString();
    });
    return answer;
  }
  // The client as another user, of no group but this.
  absl::StatusOr<Finished> CliAs(uid_t uid, gid_t gid, const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"setpriv",
                                        absl::StrCat("--reuid=", uid),
                                        absl::StrCat("--regid=", gid),
                                        "--clear-groups",
                                        KVMSENTRY_CLI,
                                        "--socket",
                                        place().socket()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return RunToEnd(command);
  }
  void LetTheGroupIn() {
    const std::string socket = place().socket();
    ASSERT_EQ(chmod(socket.substr(0, socket.rfind('/')).c_str(), 0750), 0);
  }

  void WriteFile(const std::string& name, const std::string& text) const {
    const std::string path = place().file(name);
    std::ofstream(path + ".new") << text;
    chmod((path + ".new").c_str(), 0600);
    rename((path + ".new").c_str(), path.c_str());
  }
  void WriteServer(const IssuedCertificate& issued) const {
    WriteFile("server.pem", issued.certificate);
    WriteFile("server.key", issued.key);
  }
  std::vector<std::string> TcpOptions() const {
    return {"--listen",        "127.0.0.1:0",
            "--tls-cert",      place().file("server.pem"),
            "--tls-key",       place().file("server.key"),
            "--tls-client-ca", place().file("clients.pem"),
            "--viewer-san",    "*.view.example.org"};
  }
  std::string Address() const {
    // It is logged a moment after the socket appears.
    EXPECT_TRUE(WaitUntil([&] { return absl::StrContains(daemon_->Log(), "on port "); }));
    const std::string log = daemon_->Log();
    const size_t at = log.find("on port ");
    if (at == std::string::npos) return "";
    return absl::StrCat("127.0.0.1:", std::stoi(log.substr(at + strlen("on port "))));
  }
  // The client with this certificate, which trusts SERVER_CA.
  std::vector<std::string> TlsCommand(const IssuedCertificate& issued,
                                      const TestAuthority& server_ca,
                                      const std::vector<std::string>& arguments) const {
    WriteFile("client.pem", issued.certificate);
    WriteFile("client.key", issued.key);
    WriteFile("server_ca.pem", server_ca.certificate());
    std::vector<std::string> command = {KVMSENTRY_CLI,
                                        "--address",
                                        Address(),
                                        "--tls-cert",
                                        place().file("client.pem"),
                                        "--tls-key",
                                        place().file("client.key"),
                                        "--tls-ca",
                                        place().file("server_ca.pem")};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }

  const TestAuthority servers_{"servers"};
  const TestAuthority clients_{"clients"};
  const IssuedCertificate server_ = servers_.Issue({.sans = {"IP:127.0.0.1"}});
};

TEST_F(AccessTest, TheSocketsGroupReadsAndWhoIsNamedMayMore) {
  StartDaemon({"storms.textproto"}, {"--admin-user", absl::StrCat(kAdmin)});
  if (HasFatalFailure()) return;
  LetTheGroupIn();
  ASSERT_OK_AND_ASSIGN(const Finished viewer, CliAs(kSomebody, 0, {"vms"}));
  EXPECT_EQ(viewer.exit_code, 0) << viewer.errors;
  EXPECT_THAT(AdminCallBy(kSomebody),
              HasSubstr(absl::StrCat("needs the role admin, and uid ", kSomebody, " is a viewer")));
  EXPECT_THAT(AdminCallBy(kAdmin), Not(HasSubstr("needs the role")));
  EXPECT_THAT(AdminCallBy(0), Not(HasSubstr("needs the role")));
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  EXPECT_EQ(status.access().refused().at("role"), 1U);
  EXPECT_THAT(daemon_->Log(), HasSubstr(absl::StrCat("uid ", kAdmin, " calls ", kAdminMethod)));
}

TEST_F(AccessTest, WhoIsNotInTheGroupIsToldWhichToJoin) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  const std::string socket = place().socket();
  const std::string folder = socket.substr(0, socket.rfind('/'));
  constexpr gid_t kGroup = 4;  // adm
  for (const bool folder_hides : {true, false}) {
    ASSERT_EQ(chown(folder.c_str(), 0, kGroup), 0);
    ASSERT_EQ(chmod(folder.c_str(), folder_hides ? 0750 : 0755), 0);
    ASSERT_EQ(chown(socket.c_str(), 0, kGroup), 0);
    ASSERT_OK_AND_ASSIGN(const Finished refused, CliAs(kSomebody, kSomebody, {"vms"}));
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_EQ(refused.errors,
              absl::StrCat("kvmsentry: cannot reach kvmsentryd at ", socket,
                           ": Permission denied; only root and the group adm may; \"adduser $USER "
                           "adm\" adds you, from your next login on\n"));
  }
}

TEST_F(AccessTest, WhoFindsNoRoomIsToldOfTheLimit) {
  // One is not enough afterwards: a call may begin before the connection of the last one is gone.
  StartDaemon({"storms.textproto"}, {"--max-connections", "2"});
  if (HasFatalFailure()) return;
  {
    const Fd held = ConnectUnix(place().socket());
    const Fd another = ConnectUnix(place().socket());
    ASSERT_TRUE(held && another);
    ASSERT_OK_AND_ASSIGN(const Finished refused, cli().Run({"vms"}));
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.errors, HasSubstr("as many connections as its --max-connections allows"));
    EXPECT_THAT(daemon_->Log(),
                HasSubstr("refused: a connection of uid 0: 2 connections are open"));
  }
  EXPECT_TRUE(WaitUntil([&] { return cli().Status().ok(); }));
}

TEST_F(AccessTest, ACertificateReadsOverTcpAndTheServersIsRotatedMeanwhile) {
  WriteServer(server_);
  WriteFile("clients.pem", clients_.certificate());
  StartDaemon({"storms.textproto"}, TcpOptions());
  if (HasFatalFailure()) return;
  const IssuedCertificate viewer = clients_.Issue({.sans = {"DNS:a.view.example.org"}});
  ASSERT_OK_AND_ASSIGN(const Finished read, RunToEnd(TlsCommand(viewer, servers_, {"vms"})));
  EXPECT_EQ(read.exit_code, 0) << read.errors;
  ASSERT_OK_AND_ASSIGN(Process process, Process::Start(TlsCommand(
                                            viewer, servers_, {"alerts", "--follow", "--json"})));
  AlertStream stream(std::move(process));
  ASSERT_OK(stream.Read());

  const TestAuthority next("next");
  WriteServer(next.Issue({.sans = {"IP:127.0.0.1"}}));
  EXPECT_TRUE(WaitUntil([&] {
    const auto again = RunToEnd(TlsCommand(viewer, next, {"vms"}));
    return again.ok() && again->exit_code == 0;
  }));
  for (int i = 0; i < 3; ++i) ASSERT_OK(stream.Read());  // of before
  EXPECT_THAT(daemon_->Log(), HasSubstr("loaded new TLS files"));
}

TEST_F(AccessTest, WithoutARightCertificateNothingIsReadOverTcp) {
  WriteServer(server_);
  WriteFile("clients.pem", clients_.certificate());
  StartDaemon({"storms.textproto"}, TcpOptions());
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(
      const Finished no_role,
      RunToEnd(TlsCommand(clients_.Issue({.sans = {"DNS:b.example.org"}}), servers_, {"vms"})));
  EXPECT_EQ(no_role.exit_code, 1);
  EXPECT_THAT(no_role.errors,
              HasSubstr("certificate b.example.org has none; have a DNS or URI name"));
  const TestAuthority strangers("clients");
  ASSERT_OK_AND_ASSIGN(const Finished stranger,
                       RunToEnd(TlsCommand(strangers.Issue({.sans = {"DNS:a.view.example.org"}}),
                                           servers_, {"vms"})));
  EXPECT_EQ(stranger.exit_code, 1);
  EXPECT_THAT(stranger.errors, HasSubstr("kvmsentryd at 127.0.0.1:"));
  // The client, too, sees to whom it speaks.
  ASSERT_OK_AND_ASSIGN(const Finished imposter,
                       RunToEnd(TlsCommand(clients_.Issue({.sans = {"DNS:a.view.example.org"}}),
                                           strangers, {"status"})));
  EXPECT_EQ(imposter.exit_code, 3);
}

}  // namespace
}  // namespace kvmsentry
