// What the daemon asks is checked, and what it is answered comes as it was sent.
#include "sensor/loader/serve.h"

#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/loader/codec.h"
#include "sensor/loader/message.h"
#include "tests/support/assert_ok.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Hook kPio{.name = "kvm_pio", .bpf = "exit", .variants = {}, .provides = "ports"};
constexpr Hook kMsr{.name = "kvm_msr", .bpf = "msr", .variants = {}, .provides = "MSRs"};
constexpr const Hook* kHooks[] = {&kPio, &kMsr};

Fd OpenNull() { return Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

LoadedObject ObjectWith(const std::string& program) {
  LoadedObject::Parts parts;
  parts.number = 7;
  parts.name = "exit";
  parts.programs.push_back({.name = program, .fd = OpenNull(), .fired_at = 3});
  parts.maps.push_back({.name = "vms", .pin = "/sys/fs/bpf/x/vms", .fd = OpenNull()});
  parts.links.push_back({.program = program, .fd = OpenNull(), .program_id = 42});
  return *LoadedObject::Make(std::move(parts));
}

class FakeLoader final : public Loader {
 public:
  absl::StatusOr<Prepared> Prepare() override { return absl::FailedPreconditionError("no bpffs"); }
  absl::StatusOr<Attached> Attach(std::span<const Hook* const> hooks) override {
    Attached attached;
    for (const Hook* hook : hooks) {
      attached.coverage.push_back({.hook = hook,
                                   .coverage = Coverage::kDegraded,
                                   .variant = "tp_btf",
                                   .reason = "half",
                                   .lack = Lack::kFailed,
                                   .programs = {"pio"}});
    }
    attached.objects.push_back(ObjectWith("pio"));
    return attached;
  }
  absl::StatusOr<LoadedLink> Reattach(uint32_t object, uint32_t program) override {
    return absl::NotFoundError(absl::StrCat(object, "/", program));
  }
  absl::Status Detach(uint32_t, uint32_t) override { return absl::OkStatus(); }
  absl::StatusOr<Fd> CountRunTimes() override { return OpenNull(); }
};

class ServeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    daemon_ = Fd(ends[0]);
    loader_end_ = Fd(ends[1]);
    server_ = std::thread([this] {
      served_ = ServeLoader(loader_end_.get(), kHooks, loader_);
      loader_end_.reset();
    });
  }
  void TearDown() override { End(); }
  void End() {
    daemon_.reset();
    if (server_.joinable()) server_.join();
  }
  ReplyReader Next() {
    auto packet = ReadPacket(daemon_.get());
    EXPECT_EQ(packet.status(), absl::OkStatus());
    return {kHooks, packet.ok() ? *std::move(packet) : Packet{}};
  }
  static absl::Status StatusOf(ReplyReader& reply) {
    return reply.Parse() ? reply.status() : absl::DataLossError("no reply");
  }
  ReplyReader Ask(const LoaderRequest& request) {
    EXPECT_EQ(SendRequest(daemon_.get(), request), absl::OkStatus());
    return Next();
  }

  FakeLoader loader_;
  Fd daemon_, loader_end_;
  std::thread server_;
  absl::Status served_;
};

TEST_F(ServeTest, AnErrorComesAsItWas) {
  ReplyReader reply = Ask({.task = LoaderTask::kPrepare});
  EXPECT_EQ(StatusOf(reply), absl::FailedPreconditionError("no bpffs"));
  ReplyReader again = Ask({.task = LoaderTask::kReattach, .object = 4, .program = 2});
  EXPECT_EQ(StatusOf(again), absl::NotFoundError("4/2"));
}

TEST_F(ServeTest, ObjectsComeWithTheirDescriptors) {
  LoaderRequest request{.task = LoaderTask::kAttach, .hook_count = 2};
  request.hooks[0] = 1;
  request.hooks[1] = 0;
  ReplyReader first = Ask(request);
  ASSERT_OK(StatusOf(first));
  ASSERT_TRUE(first.more());
  ASSERT_OK_AND_ASSIGN(const std::vector<LoadedObject> objects, first.TakeObjects());
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(objects[0].number(), 7U);
  EXPECT_EQ(objects[0].name(), "exit");
  EXPECT_EQ(objects[0].IndexOf("pio"), 0U);
  for (const int fd :
       {objects[0].ProgramFd("pio"), objects[0].MapFd("vms"), objects[0].LinkFd("pio")}) {
    EXPECT_GE(fcntl(fd, F_GETFD), 0);
  }
  EXPECT_EQ(objects[0].parts().links[0].program_id, 42U);
  EXPECT_EQ(objects[0].parts().programs[0].fired_at, 3U);
  ReplyReader last = Next();
  ASSERT_OK(StatusOf(last));
  EXPECT_FALSE(last.more());
  ASSERT_OK_AND_ASSIGN(const std::vector<HookCoverage> hooks, last.TakeHooks());
  ASSERT_EQ(hooks.size(), 2U);
  EXPECT_EQ(hooks[0].hook, &kMsr);
  EXPECT_EQ(hooks[1].hook, &kPio);
  EXPECT_EQ(hooks[1].coverage, Coverage::kDegraded);
  EXPECT_EQ(hooks[1].lack, Lack::kFailed);
  EXPECT_THAT(hooks[1].programs, ElementsAre("pio"));
}

TEST_F(ServeTest, ARequestForNothingKnownIsRefusedAndTheNextServed) {
  LoaderRequest unknown{.task = LoaderTask::kAttach, .hook_count = 1};
  unknown.hooks[0] = 2;
  const LoaderRequest none[] = {unknown,
                                {.task = LoaderTask::kAttach, .hook_count = 1U << 31},
                                {.task = static_cast<LoaderTask>(99)}};
  for (const LoaderRequest& request : none) {
    ReplyReader refused = Ask(request);
    EXPECT_TRUE(absl::IsInvalidArgument(StatusOf(refused)));
  }
  ReplyReader reply = Ask({.task = LoaderTask::kCountRunTimes});
  ASSERT_OK(StatusOf(reply));
  ASSERT_OK_AND_ASSIGN(const Fd opened, reply.TakeOpened());
  EXPECT_GE(fcntl(opened.get(), F_GETFD), 0);
}

TEST_F(ServeTest, TextIsNoRequest) {
  ASSERT_EQ(send(daemon_.get(), "attach", 6, 0), 6);
  EXPECT_TRUE(absl::IsUnavailable(ReadPacket(daemon_.get()).status()));
  End();
  EXPECT_THAT(std::string(served_.message()), HasSubstr("a request of 6 bytes"));
}

TEST_F(ServeTest, ADescriptorThatDidNotComeIsAnError) {
  ReplyWriter reply(kHooks);
  reply.Add(LoadedLink{.program = "pio", .fd = OpenNull(), .program_id = 1});
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const Fd sender(ends[0]);
  const Fd receiver(ends[1]);
  ASSERT_OK(reply.Send(sender.get()));
  ASSERT_OK_AND_ASSIGN(Packet packet, ReadPacket(receiver.get()));
  packet.descriptors.clear();
  ReplyReader reader(kHooks, std::move(packet));
  ASSERT_OK(StatusOf(reader));
  EXPECT_TRUE(absl::IsDataLoss(reader.TakeLink().status()));
}

TEST_F(ServeTest, EndsWhenTheDaemonHasGone) {
  End();
  EXPECT_EQ(served_, absl::OkStatus());
}

}  // namespace
}  // namespace kvmsentry
