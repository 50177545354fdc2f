#include "tests/unit/rpc/server_fixture.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <grpcpp/create_channel_posix.h>
#include <unistd.h>

#include "sensor/alert/memory_journal.h"
#include "sensor/rpc/connect.h"
#include "tests/support/assert_ok.h"
#include "tests/unit/rpc/serve_at.h"

namespace kvmsentry {

SensorStatus FakeView::Status() const {
  SensorStatus status;
  status.version = "1.2.3";
  status.max_vms = 256;
  status.vms_watched = 1;
  status.vms_unwatched = 2;
  status.specs = {{.id = "pio-storm", .coverage = Coverage::kActive, .reason = ""}};
  return status;
}

std::vector<VmView> FakeView::Vms(bool /*with_given*/) const {
  std::vector<VmView> vms(3);
  vms[0].vm.name = "web-2";
  vms[0].watched = true;
  auto given = std::make_shared<GivenRecord>();
  given->given.memory.size = {64, FactOrigin::kArgv};
  vms[0].given = std::move(given);
  vms[1].vm.name = "db";
  vms[1].vm.uuid = "web-uuid";
  vms[2].vm.name = "other";
  return vms;
}

std::optional<MembersView> FakeView::Members(VmId /*vm*/) const { return std::nullopt; }

std::vector<SpecView> FakeView::Specs() const {
  std::vector<SpecView> specs(1);
  specs[0].id = "pio-storm";
  return specs;
}

JournaledAlert AlertOf(const std::string& vm, size_t summary_bytes) {
  JournaledAlert alert;
  alert.event.vm.name = vm;
  alert.event.summary = std::string(summary_bytes, 's');
  return alert;
}

Client::Client(const std::string& path) {
  Fd fd = ConnectUnix(path);
  EXPECT_TRUE(fd) << path << ": " << strerror(errno);
  channel_ = grpc::CreateInsecureChannelFromFd("test", dup(fd.get()));
  alerts_ = v1::Alerts::NewStub(channel_);
  sensor_ = v1::Sensor::NewStub(channel_);
}

Stream::Stream(Client& client, const v1::SubscribeRequest& request) {
  context_.set_deadline(std::chrono::system_clock::now() + absl::ToChronoSeconds(kServesWithin));
  reader_ = client.alerts().Subscribe(&context_, request);
}

v1::SubscribeResponse Stream::Read() {
  v1::SubscribeResponse message;
  if (!reader_->Read(&message)) message.Clear();
  return message;
}

v1::SubscribeRequest Following() {
  v1::SubscribeRequest request;
  request.set_follow(true);
  return request;
}

void ServerTest::Start(size_t kept) {
  options_.access.max_requests = 0;  // some tests ask until something holds
  hub_ = std::make_unique<Hub>(std::make_unique<MemoryJournal>(kEpoch, kept));
  socket_ = dir_ / "run/s.sock";
  ASSERT_OK_AND_ASSIGN(server_, ServeAt(socket_, options_, *hub_, view_, pulse_));
  pulse_.Tick(SystemClock());
}

uint32_t ServerTest::SubscribersNow() {
  Client client(socket_);
  grpc::ClientContext context;
  v1::GetStatusResponse response;
  EXPECT_TRUE(client.sensor().GetStatus(&context, {}, &response).ok());
  return response.subscribers();
}

}  // namespace kvmsentry
