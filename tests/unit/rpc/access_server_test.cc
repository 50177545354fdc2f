// Who may do what by the unix socket, and how much.
#include <chrono>
#include <cstring>
#include <deque>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/wait.h"
#include "tests/unit/rpc/served.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

// HTTP/2 (RFC 9113): the client's preface and an empty SETTINGS frame.
const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kSettings("\0\0\0\4\0\0\0\0\0", 9);

class AccessServerTest : public ServedTest {
 protected:
  v1::GetStatusResponse StatusBy(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    v1::GetStatusResponse response;
    const grpc::Status status = v1::Sensor::NewStub(channel)->GetStatus(&context, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
};

TEST_F(AccessServerTest, AViewerReadsAndIsToldWhatAnAdminServiceNeeds) {
  Start();
  const auto channel = ChannelOver(ConnectAsViewer());
  EXPECT_TRUE(Call(channel, kGetStatus).ok());
  const grpc::Status refused = Call(channel, kAdminMethod);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(refused.error_message(),
              HasSubstr("kvmsentry.v1.TestAdmin needs the role admin, and uid "));
  EXPECT_THAT(refused.error_message(), HasSubstr("--admin-user"));
  EXPECT_TRUE(Call(channel, kGetStatus).ok()) << "the connection goes on";
  EXPECT_EQ(StatusBy(channel).access().refused().at("role"), 1U);
}

TEST_F(AccessServerTest, AnAdminIsLetThrough) {
  options_.access.admins.uids = {geteuid()};
  Start();
  const auto channel = ChannelOver(Connect());
  EXPECT_TRUE(Call(channel, kGetStatus).ok());
  // The service is none, and only who is let through hears that.
  EXPECT_EQ(Call(channel, kAdminMethod).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(AccessServerTest, AMemberOfAnAdminGroupIsOne) {
  options_.access.admins.gids = {getegid()};
  Start();
  EXPECT_EQ(Call(ChannelOver(ConnectAsViewer()), kAdminMethod).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(AccessServerTest, ReflectionAndHealthAreAViewersToo) {
  Start();
  const auto channel = ChannelOver(ConnectAsViewer());
  EXPECT_TRUE(Call(channel, "/grpc.health.v1.Health/Check").ok());
}

TEST_F(AccessServerTest, AMessageThatIsTooLargeIsRefusedAndTheConnectionGoesOn) {
  Start();
  const auto channel = ChannelOver(Connect());
  EXPECT_TRUE(Call(channel, kGetStatus, std::string("\x0a\x00", 2)).ok());
  const grpc::Status refused = Call(channel, kGetStatus, std::string(2 << 20, 'x'));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("larger than max"));
  EXPECT_TRUE(Call(channel, kGetStatus).ok());
}

TEST_F(AccessServerTest, HeadersThatAreTooLargeAreRefused) {
  Start();
  const auto channel = ChannelOver(Connect());
  // gRPC applies the limit once the client has acknowledged it.
  EXPECT_TRUE(Call(channel, kGetStatus).ok());
  const auto stub = v1::Sensor::NewStub(channel);
  grpc::ClientContext context;
  context.AddMetadata("x", std::string(64 << 10, 'x'));
  v1::GetStatusResponse response;
  EXPECT_EQ(stub->GetStatus(&context, {}, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Call(ChannelOver(Connect()), kGetStatus).ok());
}

TEST_F(AccessServerTest, BytesThatAreNotHttp2EndTheirConnectionAlone) {
  Start();
  const auto other = ChannelOver(Connect());
  EXPECT_TRUE(Call(other, kGetStatus).ok());
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), std::string(100, '\xff'),
        kPreface + std::string(20, '\xff'),                                // a frame of 16 MiB
        kPreface + kSettings + std::string("\0\0\1\1\4\0\0\0\1\xff", 10),  // no HPACK
        kPreface + kSettings + std::string("\0\0\4\x8\0\0\0\0\0\0\0\0\0", 13)}) {  // no increment
    SCOPED_TRACE(testing::PrintToString(bytes));
    const Fd connection = Connect();
    Send(connection, bytes);
    EXPECT_TRUE(IsClosedByPeer(connection));
  }
  EXPECT_TRUE(Call(other, kGetStatus).ok());
}

TEST_F(AccessServerTest, WhoDoesNotFinishItsHandshakeIsCutOff) {
  options_.access.handshake_within = absl::Milliseconds(200);
  Start();
  for (const std::string& bytes : {std::string(), kPreface.substr(0, 10), kPreface}) {
    SCOPED_TRACE(bytes);
    const Fd connection = Connect();
    Send(connection, bytes);
    EXPECT_TRUE(IsClosedByPeer(connection));
  }
}

TEST_F(AccessServerTest, AConnectionWithoutACallIsEndedOneWithAStreamIsNot) {
  options_.access.idle_for = absl::Milliseconds(300);
  options_.heartbeat = absl::Milliseconds(100);
  Start();
  v1::SubscribeRequest request;
  request.set_follow(true);
  grpc::ClientContext context;
  const auto alerts = v1::Alerts::NewStub(ChannelOver(Connect()));
  const auto stream = alerts->Subscribe(&context, request);
  v1::SubscribeResponse message;
  ASSERT_TRUE(stream->Read(&message));

  const Fd idle = Connect();
  Send(idle, kPreface + kSettings);
  EXPECT_TRUE(IsClosedByPeer(idle));
  // The stream was there before, so it has outlived more than the other connection did.
  for (int i = 0; i < 3; ++i) {
    pulse_.Tick(SystemClock());
    EXPECT_TRUE(stream->Read(&message));
  }
  context.TryCancel();
}

std::string HttpFrame(char type, char flags, char stream, const std::string& payload) {
  std::string frame = {0,
                       static_cast<char>(payload.size() >> 8),
                       static_cast<char>(payload.size()),
                       type,
                       flags,
                       0,
                       0,
                       0,
                       stream};
  return frame + payload;
}

const std::vector<std::pair<std::string, std::string>> kSubscribeHeaders = {
    {":method", "POST"}, {":scheme", "http"}, {":path", "/kvmsentry.v1.Alerts/Subscribe"},
    {":authority", "x"}, {"te", "trailers"},  {"content-type", "application/grpc"}};

// HPACK (RFC 7541): literals that are neither indexed nor compressed.
std::string HttpHeaders(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string bytes;
  for (const auto& [name, value] : headers) {
    bytes += '\0';
    bytes += static_cast<char>(name.size());
    bytes += name;
    bytes += static_cast<char>(value.size());
    bytes += value;
  }
  return bytes;
}

// gRPC applies the limits of streams and headers once a client has acknowledged them. One that does
// not would have the server hold megabytes for each call.
TEST_F(AccessServerTest, WhoAcknowledgesNoLimitIsHeldToItAllTheSame) {
  Start();
  const Fd rude = Connect();
  Send(rude, kPreface + kSettings);
  for (char stream = 1; stream < 41; stream += 2) {
    auto headers = kSubscribeHeaders;
    for (int i = 0; i < 120; ++i) headers.emplace_back("x", std::string(120, 'x'));
    Send(rude, HttpFrame(1, /*END_HEADERS*/ 4, stream, HttpHeaders(headers)));
  }
  EXPECT_TRUE(WaitUntil([&] { return board_.refused(Refusal::kRequests) == 20; }));
}

TEST_F(AccessServerTest, CallsThatAreBegunAndNeverMadeAreHeldToo) {
  options_.access.max_open_calls = 10;
  Start();
  const Fd rude = Connect();
  Send(rude, kPreface + kSettings);
  for (char stream = 1; stream < 41; stream += 2) {
    Send(rude, HttpFrame(1, /*END_HEADERS*/ 4, stream, HttpHeaders(kSubscribeHeaders)));
  }
  EXPECT_TRUE(WaitUntil([&] { return board_.refused(Refusal::kRequests) == 10; }));
}

TEST_F(AccessServerTest, CallsThatEndLeaveRoomForOthers) {
  // Far fewer than there will be; on a busy machine some end at the server after the client's next.
  options_.access.max_open_calls = 50;
  options_.access.max_requests = 0;
  options_.access.admins.uids = {geteuid()};
  Start();
  const auto channel = ChannelOver(Connect());
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(Call(channel, kGetStatus).ok());
    EXPECT_EQ(Call(channel, kAdminMethod).error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_TRUE(Call(channel, "/grpc.health.v1.Health/Check").ok());
  }
  v1::SubscribeRequest request;
  v1::SubscribeResponse message;
  const auto alerts = v1::Alerts::NewStub(channel);
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    const auto stream = alerts->Subscribe(&context, request);
    while (stream->Read(&message)) {
    }
    EXPECT_TRUE(stream->Finish().ok());
  }
}

// A host that lost its power says no more, not even that its connection has ended.
TEST_F(AccessServerTest, ASubscriberThatAnswersNoPingIsEnded) {
  // Long enough for it to be seen before it is ended, on a busy machine, too.
  options_.access.ping_after = absl::Seconds(1);
  options_.access.answer_within = absl::Seconds(2);
  options_.access.max_requests = 0;
  Start();
  const Fd dead = Connect();
  v1::SubscribeRequest request;
  request.set_follow(true);
  const std::string message = request.SerializeAsString();
  std::string sent(5, '\0');  // not compressed, and the message's size
  sent[4] = static_cast<char>(message.size());
  Send(dead, kPreface + kSettings +
                 HttpFrame(1, /*END_HEADERS*/ 4, 1, HttpHeaders(kSubscribeHeaders)) +
                 HttpFrame(0, /*END_STREAM*/ 1, 1, sent + message));
  const auto channel = ChannelOver(Connect());
  EXPECT_TRUE(WaitUntil([&] { return StatusBy(channel).subscribers() == 1; }));
  EXPECT_TRUE(IsClosedByPeer(dead));
  EXPECT_TRUE(WaitUntil([&] { return StatusBy(channel).subscribers() == 0; }));
}

TEST_F(AccessServerTest, AConnectionOverTheLimitIsClosedAtOnceAndTheOthersGoOn) {
  options_.access.max_connections = 16;
  options_.access.admins.uids = {geteuid()};
  Start();
  const auto first = ChannelOver(Connect());
  EXPECT_TRUE(Call(first, kGetStatus).ok());
  std::deque<Fd> idle;
  for (int i = 0; i < 15; ++i) idle.push_back(Connect());
  const Fd excess = Connect();
  EXPECT_TRUE(IsClosedByPeer(excess));
  const v1::Access access = StatusBy(first).access();
  EXPECT_EQ(access.refused().at("connections"), 1U);
  EXPECT_EQ(access.max_connections(), 16U);
  EXPECT_TRUE(WaitUntil([&] { return board_.state().connections == 16; }));

  idle.clear();
  EXPECT_TRUE(WaitUntil([&] { return Call(ChannelOver(Connect()), kGetStatus).ok(); }));
}

TEST_F(AccessServerTest, OneUserCannotTakeAllConnections) {
  if (geteuid() != 0) GTEST_SKIP() << "needs a second user, so root";
  options_.access.max_connections = 16;
  Start();
  std::deque<Fd> held;
  for (int i = 0; i < 4; ++i) held.push_back(ConnectAsViewer());
  EXPECT_TRUE(IsClosedByPeer(ConnectAsViewer()));
  EXPECT_EQ(board_.refused(Refusal::kCallerConnections), 1U);
  EXPECT_TRUE(Call(ChannelOver(Connect()), kGetStatus).ok());
}

TEST_F(AccessServerTest, WhoAsksTooOftenIsToldSoAndOthersAreServed) {
  options_.access.max_requests = 5;
  Start();
  const auto channel = ChannelOver(ConnectAsViewer());
  grpc::Status status;
  int served = 0;
  // Each call takes far less than the fifth of a second in which a further one is allowed.
  while ((status = Call(channel, kGetStatus)).ok() && served < 10'000) ++served;
  EXPECT_GE(served, 10);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(),
              HasSubstr("makes more than 5 calls a second; call less often"));
  EXPECT_GE(board_.refused(Refusal::kRequests), 1U);
  EXPECT_TRUE(geteuid() != 0 || Call(ChannelOver(Connect()), kGetStatus).ok());
  // A second connection of the same user gets it no more.
  EXPECT_EQ(Call(ChannelOver(ConnectAsViewer()), kGetStatus).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(AccessServerTest, AConnectionHasSoManyStreamsAndTheNextWaitsForOneToEnd) {
  constexpr int kStreams = 128;
  options_.max_subscribers = 1000;
  options_.access.max_open_calls = 1000;
  options_.access.max_requests = 0;
  Start();
  const auto alerts = v1::Alerts::NewStub(ChannelOver(Connect()));
  v1::SubscribeRequest request;
  request.set_follow(true);
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::SubscribeResponse>> reader;
  };
  std::deque<Stream> streams;
  v1::SubscribeResponse message;
  for (int i = 0; i < kStreams; ++i) {
    Stream& stream = streams.emplace_back();
    stream.reader = alerts->Subscribe(&stream.context, request);
    ASSERT_TRUE(stream.reader->Read(&message)) << i;
  }
  {
    Stream waiting;
    waiting.context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
    waiting.reader = alerts->Subscribe(&waiting.context, request);
    EXPECT_FALSE(waiting.reader->Read(&message));
    EXPECT_EQ(waiting.reader->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  streams.front().context.TryCancel();
  Stream next;
  next.reader = alerts->Subscribe(&next.context, request);
  EXPECT_TRUE(next.reader->Read(&message));
  next.context.TryCancel();
  for (Stream& stream : streams) stream.context.TryCancel();
}

}  // namespace
}  // namespace kvmsentry
