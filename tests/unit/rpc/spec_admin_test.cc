// SpecAdmin, and what ListSpecs says of VMs, through a real connection.
#include "sensor/rpc/spec_admin.h"

#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel_posix.h>
#include <gtest/gtest.h>

#include "kvmsentry/v1/sensor.grpc.pb.h"
#include "kvmsentry/v1/spec_admin.grpc.pb.h"
#include "sensor/alert/memory_journal.h"
#include "sensor/rpc/connect.h"
#include "sensor/rpc/server.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

// One spec, which a site excepts "ci-*" from.
class OneSpecView final : public SensorView {
 public:
  SensorStatus Status() const override {
    SensorStatus status;
    status.library = {.sha256 = "00ff", .loaded_at = absl::FromUnixSeconds(7), .shipped = 1};
    status.library.disabled = {
        {.id = "off", .layer = Layer::kShipped, .at = {"s", 1, 2}, .spec_at = {"K2", 3, 4}}};
    return status;
  }
  std::vector<VmView> Vms(bool) const override {
    std::vector<VmView> vms(2);
    vms[0].vm.name = vms[0].vm.given_name = "web";
    vms[1].vm.name = vms[1].vm.given_name = "ci-1";
    return vms;
  }
  std::optional<MembersView> Members(VmId) const override { return std::nullopt; }
  std::vector<SpecView> Specs() const override {
    std::vector<SpecView> specs(2);
    specs[0].id = "a";
    specs[0].tags = {"t"};
    specs[0].mitre = {"T1611"};
    specs[0].except = {Selector{.vm = {"ci-*"}, .uuid = {}, .cgroup = {}, .vmm = {}}};
    specs[0].origin.at = {"K2", 1, 1};
    specs[0].origin.except_at = {{"site", 5, 3}};
    specs[0].origin.changes = {{"except", "", "{ vm: \"ci-*\" }", {"site", 5, 3}}};
    specs[1].id = "b";
    return specs;
  }
};

// Answers from another thread, as the daemon does.
class FakeControl final : public SpecControl {
 public:
  ~FakeControl() override { Join(); }
  void Apply(SiteChange change, Done done) override {
    {
      const std::lock_guard lock(mutex_);
      change_ = std::move(change);
    }
    Answer(std::move(done));
  }
  void Reload(Done done) override { Answer(std::move(done)); }
  void Join() {
    std::vector<std::thread> threads;
    {
      const std::lock_guard lock(mutex_);
      threads.swap(threads_);
    }
    for (std::thread& thread : threads) thread.join();
  }

  SiteChange change() const {
    const std::lock_guard lock(mutex_);
    return change_;
  }
  void Set(absl::StatusOr<LoadedSpecs> answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }

 private:
  void Answer(Done done) {
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([answer = answer_, done = std::move(done)] { done(answer); });
  }

  mutable std::mutex mutex_;  // calls come on gRPC's threads
  SiteChange change_;
  absl::StatusOr<LoadedSpecs> answer_ = LoadedSpecs{};
  std::vector<std::thread> threads_;
};

class SpecAdminTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string socket = dir_ / "run/s.sock";
    auto place = SocketPlace::Prepare(socket);
    ASSERT_TRUE(place.ok()) << place.status();
    auto server =
        Server::Start(*std::move(place), {}, hub_, view_, pulse_, SystemClock(), &control_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateInsecureChannelFromFd("test", ConnectUnix(socket).release());
    admin_ = v1::SpecAdmin::NewStub(channel_);
  }
  void TearDown() override { control_.Join(); }

  grpc::Status Apply(const v1::ApplySpecsRequest& request, v1::ApplySpecsResponse& response) {
    grpc::ClientContext context;
    return admin_->Apply(&context, request, &response);
  }

  const TempDir dir_ = TempDir::Make().value();
  Hub hub_{std::make_unique<MemoryJournal>(1, 10)};
  OneSpecView view_;
  Pulse pulse_;
  FakeControl control_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::SpecAdmin::Stub> admin_;
};

TEST_F(SpecAdminTest, AppliesALayerOfAlmostOneMebibyte) {
  control_.Set(LoadedSpecs{.library = view_.Status().library, .warnings = {"w"}});
  v1::ApplySpecsRequest request;
  request.set_validate_only(true);
  auto& file = *request.add_files();
  file.set_name("a.textproto");
  file.set_text(std::string((1 << 20) - file.name().size(), '#'));
  v1::ApplySpecsResponse response;
  const grpc::Status status = Apply(request, response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.library().sha256(), "00ff");
  EXPECT_EQ(response.library().disabled_specs(), 1U);
  EXPECT_EQ(response.warnings(0), "w");
  ASSERT_THAT(control_.change().files, SizeIs(1));
  EXPECT_EQ(control_.change().files[0].name, "a.textproto");
  EXPECT_TRUE(control_.change().validate_only);
}

TEST_F(SpecAdminTest, TellsWhyALibraryIsRefused) {
  control_.Set(absl::InvalidArgumentError("site/a.textproto:1:2: error: no"));
  v1::ApplySpecsResponse response;
  const grpc::Status status = Apply({}, response);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "site/a.textproto:1:2: error: no");
  grpc::ClientContext context;
  v1::ReloadSpecsResponse reloaded;
  EXPECT_EQ(admin_->Reload(&context, {}, &reloaded).error_code(), grpc::INVALID_ARGUMENT);
}

TEST_F(SpecAdminTest, WhatCannotBeAFileOfTheFolderIsRefused) {
  const auto problem = [](const std::vector<std::string>& names) {
    v1::ApplySpecsRequest request;
    for (const std::string& name : names) request.add_files()->set_name(name);
    const absl::Status status = ReadRequest(request).status();
    return std::string(status.message());
  };
  EXPECT_EQ(problem({"a.textproto", "b-1_c.d.textproto"}), "");
  for (const char* name : {"", "a", "../a.textproto", "a/b.textproto", ".a.textproto", ".textproto",
                           "a b.textproto", "a\n.textproto", "\xff.textproto"}) {
    EXPECT_THAT(problem({name}), StartsWith("files: name \"")) << name;
  }
  EXPECT_THAT(problem({std::string(200, 'a') + ".textproto"}), StartsWith("files: name \""));
  EXPECT_THAT(problem({"a.textproto", "a.textproto"}), HasSubstr("is there twice"));
  EXPECT_THAT(problem(std::vector<std::string>(257, "a.textproto")), HasSubstr("at most 256"));
  v1::ApplySpecsRequest request;
  request.set_if_library_sha256("short");
  EXPECT_THAT(std::string(ReadRequest(request).status().message()),
              StartsWith("if_library_sha256: "));
}

TEST_F(SpecAdminTest, ListSpecsSaysToWhichVmsASpecApplies) {
  const auto sensor = v1::Sensor::NewStub(channel_);
  v1::ListSpecsRequest request;
  request.add_id("a");
  request.add_vm("*");
  v1::ListSpecsResponse response;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(sensor->ListSpecs(&context, request, &response).ok());
  }
  ASSERT_EQ(response.specs_size(), 1);
  const v1::SpecInfo& spec = response.specs(0);
  EXPECT_EQ(spec.tags(0), "t");
  EXPECT_EQ(spec.mitre(0), "T1611");
  EXPECT_EQ(spec.origin().layer(), v1::SHIPPED);
  EXPECT_EQ(spec.origin().place(), "K2:1:1");
  EXPECT_EQ(spec.origin().changes(0).place(), "site:5:3");
  ASSERT_EQ(spec.selections_size(), 2);
  EXPECT_EQ(spec.selections(0).vm().name(), "ci-1");
  EXPECT_EQ(spec.selections(0).verdict(), v1::SpecSelection::EXCEPTED);
  EXPECT_EQ(spec.selections(0).reason(), "its name \"ci-1\" matches vm \"ci-*\", at site:5:3");
  EXPECT_EQ(spec.selections(1).verdict(), v1::SpecSelection::SELECTED);
  ASSERT_EQ(response.disabled_size(), 1);
  EXPECT_EQ(response.disabled(0).spec_place(), "K2:3:4");

  request.clear_id();
  grpc::ClientContext context;
  EXPECT_EQ(sensor->ListSpecs(&context, request, &response).error_code(), grpc::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace kvmsentry
