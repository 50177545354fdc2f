// Doors of a server that has one service, which answers who called.
#include "sensor/rpc/access/door.h"

#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/support/generic_call.h"

namespace kvmsentry {
namespace {

class WhoCalled final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    class Answer final : public grpc::ServerGenericBidiReactor {
     public:
      explicit Answer(const Caller& caller) {
        Finish(grpc::Status(grpc::StatusCode::ABORTED,
                            absl::StrCat(RoleName(caller.role), " ", caller.name)));
      }
      void OnDone() override { delete this; }
    };
    return new Answer(CallerOf(*context));
  }
};

class DoorTest : public ::testing::Test {
 protected:
  DoorTest() {
    builder_.RegisterCallbackGenericService(&service_);
    for (const Caller& caller :
         {Caller{Role::kViewer, "uid 1000"}, Caller{Role::kAdmin, "uid 0"}}) {
      const auto source = [this, caller](const grpc_auth_context*) {
        ++asked_;
        return caller;
      };
      doors_.push_back(std::make_unique<Door>(grpc_local_server_credentials_create(UDS), gate_,
                                              source, builder_));
    }
    server_ = builder_.BuildAndStart();
  }

  std::shared_ptr<grpc::Channel> ConnectBy(size_t door) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    doors_[door]->HandOver(Fd(ends[0]));
    return grpc::CreateInsecureChannelFromFd("test", ends[1]);
  }

  static std::string AnswerOf(const std::shared_ptr<grpc::Channel>& channel, const char* method) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    const grpc::Status ended = CallGeneric(stub, context, method, "");
    return absl::StrCat(ended.error_code() == grpc::StatusCode::ABORTED ? "" : "refused: ",
                        ended.error_message());
  }

  AccessBoard board_;
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>(
      Gate::Limits{.calls_per_second = 0, .open_calls = 0}, board_, SystemClock());
  std::atomic<int> asked_ = 0;
  WhoCalled service_;
  grpc::ServerBuilder builder_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(DoorTest, AHandlerFindsWhoCallsByTheDoorOfTheConnection) {
  const auto viewer = ConnectBy(0);
  const auto admin = ConnectBy(1);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(AnswerOf(viewer, "/x.Y/Z"), "viewer uid 1000");
    EXPECT_EQ(AnswerOf(admin, "/x.Y/Z"), "admin uid 0");
  }
  EXPECT_EQ(asked_, 2) << "it is found once a connection";
}

TEST_F(DoorTest, NoHandlerHearsOfWhatTheGateRefuses) {
  EXPECT_THAT(AnswerOf(ConnectBy(0), "/x.YAdmin/Z"),
              ::testing::StartsWith("refused: x.YAdmin needs"));
  EXPECT_EQ(AnswerOf(ConnectBy(1), "/x.YAdmin/Z"), "admin uid 0");
}

TEST_F(DoorTest, NoHeaderOfAClientMakesItSomebodyElse) {
  grpc::GenericStub stub(ConnectBy(0));
  grpc::ClientContext context;
  for (const char* name : {"kvmsentry_role", "kvmsentry-role", "x-path"}) {
    context.AddMetadata(name, "admin");
  }
  EXPECT_EQ(CallGeneric(stub, context, "/x.Y/Z", "").error_message(), "viewer uid 1000");
}

TEST_F(DoorTest, ManyCallsOfAConnectionAtOnceAgreeOnWhoCalls) {
  const auto channel = ConnectBy(0);
  std::vector<std::jthread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) wrong += AnswerOf(channel, "/x.Y/Z") != "viewer uid 1000";
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(asked_, 1);
}

}  // namespace
}  // namespace kvmsentry
