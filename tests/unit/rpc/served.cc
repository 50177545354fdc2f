#include "tests/unit/rpc/served.h"

#include <array>
#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/alert/memory_journal.h"
#include "sensor/rpc/connect.h"
#include "tests/support/as_user.h"
#include "tests/support/assert_ok.h"
#include "tests/support/generic_call.h"
#include "tests/support/wait.h"
#include "tests/unit/rpc/serve_at.h"

namespace kvmsentry {

void ServedTest::Start() {
  options_.access.board = &board_;
  hub_ = std::make_unique<Hub>(std::make_unique<MemoryJournal>(/*epoch=*/1, /*capacity=*/100));
  ASSERT_OK_AND_ASSIGN(server_, ServeAt(socket_, options_, *hub_, view_, pulse_));
  pulse_.Tick(SystemClock());
}

Fd ServedTest::Connect() const {
  Fd connection = ConnectUnix(socket_);
  EXPECT_TRUE(connection) << strerror(errno);
  return connection;
}

// Root's group is the socket's, so its mode admits who is in it.
Fd ServedTest::ConnectAsViewer() const {
  if (geteuid() != 0) return Connect();
  chmod(dir_.path().c_str(), 0750);
  Fd connection;
  AsUser(kSomebody, [&] { connection = Connect(); });
  return connection;
}

std::shared_ptr<grpc::Channel> ChannelOver(Fd connection) {
  return grpc::CreateInsecureChannelFromFd("test", connection.release());
}

grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                  const std::string& request) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoSeconds(kPatience));
  return CallGeneric(stub, context, method, request);
}

bool IsClosedByPeer(const Fd& connection) {
  return WaitUntil([&] {
    std::array<char, 4096> rubbish;
    pollfd wait{.fd = connection.get(), .events = POLLIN, .revents = 0};
    poll(&wait, 1, 100);
    const ssize_t got = read(connection.get(), rubbish.data(), rubbish.size());
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
  });
}

void Send(const Fd& connection, const std::string& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t now =
        send(connection.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (now > 0) {
      sent += static_cast<size_t>(now);
      continue;
    }
    ASSERT_EQ(errno, EAGAIN);
    pollfd wait{.fd = connection.get(), .events = POLLOUT, .revents = 0};
    poll(&wait, 1, 100);
  }
}

}  // namespace kvmsentry
