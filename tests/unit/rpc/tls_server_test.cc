// Who may do what over TCP, by certificate.
#include <chrono>
#include <fstream>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "sensor/alert/memory_journal.h"
#include "tests/support/certificate.h"
#include "tests/support/wait.h"
#include "tests/unit/rpc/served.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

class TlsServerTest : public ServedTest {
 protected:
  void StartTls() {
    options_.access.tcp = {
        .endpoint = {"127.0.0.1", 0},
        .files = {dir_ / "cert.pem", dir_ / "key.pem", dir_ / "ca.pem"},
        .roles = {.viewers = {"*.view.example.org"}, .admins = {"spiffe://example.org/ops"}},
        .reload_every = absl::ZeroDuration()};
    Write(server_issued_);
    WriteFile("ca.pem", clients_.certificate());
    Start();
  }

  void WriteFile(const std::string& name, const std::string& text) {
    // In one step, as those who rotate certificates do.
    const std::string path = dir_ / name;
    std::ofstream(path + ".new") << text;
    chmod((path + ".new").c_str(), 0600);
    rename((path + ".new").c_str(), path.c_str());
  }
  void Write(const IssuedCertificate& issued) {
    WriteFile("cert.pem", issued.certificate);
    WriteFile("key.pem", issued.key);
  }

  std::string Address() const { return "127.0.0.1:" + std::to_string(server_->tcp_port()); }

  // With a connection of its own.
  std::shared_ptr<grpc::Channel> Dial(const IssuedCertificate& issued,
                                      const std::string& server_ca) const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(
        Address(), grpc::SslCredentials({server_ca, issued.key, issued.certificate}), arguments);
  }
  grpc::Status CallAs(const IssuedCertificate& issued, const char* method = kGetStatus) const {
    return Call(Dial(issued, servers_.certificate()), method);
  }
  grpc::Status CallAs(const std::vector<std::string>& sans, const char* method = kGetStatus) const {
    return CallAs(clients_.Issue({.sans = sans}), method);
  }

  Fd DialRaw() const {
    Fd connection(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(server_->tcp_port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(
        connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    return connection;
  }

  const TestAuthority servers_{"servers"};
  const TestAuthority clients_{"clients"};
  const IssuedCertificate server_issued_ = servers_.Issue({.sans = {"IP:127.0.0.1"}});
  const std::vector<std::string> viewer_ = {"DNS:a.view.example.org"};
  const std::vector<std::string> admin_ = {"URI:spiffe://example.org/ops"};
};

TEST_F(TlsServerTest, ACertificatesNamesGiveItsRole) {
  StartTls();
  EXPECT_TRUE(CallAs(viewer_).ok());
  const grpc::Status refused = CallAs(viewer_, kAdminMethod);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(refused.error_message(),
              HasSubstr("certificate a.view.example.org is a viewer; have a "
                        "DNS or URI name of the certificate listed by "
                        "--admin-san"));
  EXPECT_TRUE(CallAs(admin_).ok());
  EXPECT_EQ(CallAs(admin_, kAdminMethod).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(TlsServerTest, ACertificateWithoutARoleMayNothing) {
  StartTls();
  for (const std::vector<std::string>& sans : {std::vector<std::string>{"DNS:a.b.view.example.org"},
                                               {"DNS:spiffe://example.org/ops"},
                                               {"URI:spiffe://example.org/ops2"},
                                               {"email:a.view.example.org@x"},
                                               {"DNS:*.view.example.org"},
                                               {}}) {
    const grpc::Status refused = CallAs(sans);
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_THAT(refused.error_message(), HasSubstr("has none; have a DNS or URI name"));
  }
}

// A handshake that fails is a connection that never was.
TEST_F(TlsServerTest, WithoutACertificateThatIsTrustedNowThereIsNoConnection) {
  StartTls();
  const TestAuthority strangers("clients");  // of the same name
  EXPECT_EQ(CallAs(strangers.Issue({.sans = admin_})).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(CallAs(clients_.Issue({.sans = admin_, .valid_until = -absl::Minutes(1)})).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(CallAs(clients_.Issue({.sans = admin_, .valid_from = absl::Minutes(30)})).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  // The server's own authority is none of the clients'.
  EXPECT_EQ(CallAs(servers_.Issue({.sans = admin_})).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(CallAs(IssuedCertificate{}).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(grpc::CreateChannel(Address(), grpc::InsecureChannelCredentials()), kGetStatus)
                .error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(CallAs(viewer_).ok());
}

TEST_F(TlsServerTest, BytesThatAreNotTlsAndSilenceEndTheirConnection) {
  options_.access.handshake_within = absl::Milliseconds(300);
  StartTls();
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(500, '\xff'),
                                   std::string("\x16\x03\x01\x02\x00\x01", 6), std::string()}) {
    SCOPED_TRACE(testing::PrintToString(bytes));
    const Fd connection = DialRaw();
    Send(connection, bytes);
    EXPECT_TRUE(IsClosedByPeer(connection));
  }
  EXPECT_TRUE(CallAs(viewer_).ok());
}

// Whether a handshake of at most VERSION succeeds; the certificate is right.
bool HandshakeSucceeds(const Fd& connection, const IssuedCertificate& issued, int version) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context, 0);  // or OpenSSL itself would refuse the old ones
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context, version);
  BIO* memory =
      BIO_new_mem_buf(issued.certificate.data(), static_cast<int>(issued.certificate.size()));
  X509* certificate = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr);
  BIO_free(memory);
  memory = BIO_new_mem_buf(issued.key.data(), static_cast<int>(issued.key.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(memory, nullptr, nullptr, nullptr);
  BIO_free(memory);
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  const unsigned char h2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context, h2, sizeof(h2));
  SSL* tls = SSL_new(context);
  SSL_set_fd(tls, connection.get());
  const bool succeeds = SSL_connect(tls) == 1;
  SSL_free(tls);
  SSL_CTX_free(context);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return succeeds;
}

TEST_F(TlsServerTest, NoTlsBefore12) {
  StartTls();
  const IssuedCertificate issued = clients_.Issue({.sans = viewer_});
  EXPECT_FALSE(HandshakeSucceeds(DialRaw(), issued, TLS1_VERSION));
  EXPECT_FALSE(HandshakeSucceeds(DialRaw(), issued, TLS1_1_VERSION));
  EXPECT_TRUE(HandshakeSucceeds(DialRaw(), issued, TLS1_2_VERSION));
  EXPECT_TRUE(HandshakeSucceeds(DialRaw(), issued, TLS1_3_VERSION));
}

TEST_F(TlsServerTest, CertificatesAreRotatedWhileAClientIsConnected) {
  options_.heartbeat = absl::Milliseconds(50);
  StartTls();
  const IssuedCertificate viewer = clients_.Issue({.sans = viewer_});
  const auto alerts = v1::Alerts::NewStub(Dial(viewer, servers_.certificate()));
  v1::SubscribeRequest request;
  request.set_follow(true);
  grpc::ClientContext context;
  const auto stream = alerts->Subscribe(&context, request);
  v1::SubscribeResponse message;
  ASSERT_TRUE(stream->Read(&message));

  // Another authority on both sides.
  const TestAuthority next_servers("next servers"), next_clients("next clients");
  const IssuedCertificate next = next_clients.Issue({.sans = viewer_});
  Write(next_servers.Issue({.sans = {"IP:127.0.0.1"}}));
  WriteFile("ca.pem", next_clients.certificate());
  const auto call_by = [&](const IssuedCertificate& issued, const TestAuthority& server) {
    return Call(Dial(issued, server.certificate()), kGetStatus).ok();
  };
  EXPECT_TRUE(WaitUntil([&] { return call_by(next, next_servers); }));
  EXPECT_FALSE(call_by(next, servers_));
  EXPECT_FALSE(call_by(viewer, next_servers)) << "the authority of before is trusted no more";
  for (int i = 0; i < 3; ++i) {
    pulse_.Tick(SystemClock());
    EXPECT_TRUE(stream->Read(&message)) << "who was connected stays so";
  }
  context.TryCancel();
}

TEST_F(TlsServerTest, ABadPairLeavesTheOneBefore) {
  StartTls();
  WriteFile("cert.pem", servers_.Issue({.sans = {"IP:127.0.0.1"}}).certificate);
  // The thread that accepts looks at the files before it accepts.
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(CallAs(viewer_).ok());
  WriteFile("key.pem", "rubbish");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(CallAs(viewer_).ok());
}

TEST_F(TlsServerTest, AnAddressCannotTakeAllConnections) {
  options_.access.max_connections = 16;
  StartTls();
  const Fd first = DialRaw(), second = DialRaw(), third = DialRaw();
  EXPECT_TRUE(IsClosedByPeer(third));
  EXPECT_EQ(board_.refused(Refusal::kCallerConnections), 1U);
  EXPECT_TRUE(Call(ChannelOver(Connect()), kGetStatus).ok());
}

TEST_F(TlsServerTest, FilesThatAreNotFitKeepTheServerFromStarting) {
  options_.access.tcp = {.endpoint = {"127.0.0.1", 0},
                         .files = {dir_ / "cert.pem", dir_ / "key.pem", dir_ / "ca.pem"},
                         .roles = {}};
  hub_ = std::make_unique<Hub>(std::make_unique<MemoryJournal>(1, 1));
  const auto start = [&] {
    const auto server = Server::Start(SocketPlace::Prepare(socket_).value(), options_, *hub_, view_,
                                      pulse_, SystemClock());
    return std::string(server.status().message());
  };
  EXPECT_THAT(start(), HasSubstr("key.pem"));
  Write(server_issued_);
  EXPECT_THAT(start(), HasSubstr("ca.pem"));
}

}  // namespace
}  // namespace kvmsentry
