// A server over a real unix socket, with a sensor behind it that has three VMs and one spec, and
// clients of their own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "absl/time/time.h"

#include "kvmsentry/v1/alerts.grpc.pb.h"
#include "kvmsentry/v1/sensor.grpc.pb.h"
#include "sensor/rpc/server.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {

inline constexpr uint64_t kEpoch = 9;
// No test waits for it unless it fails.
inline constexpr absl::Duration kServesWithin = absl::Seconds(60);

class FakeView final : public SensorView {
 public:
  SensorStatus Status() const override;
  std::vector<VmView> Vms(bool with_given) const override;
  std::optional<MembersView> Members(VmId vm) const override;
  std::vector<SpecView> Specs() const override;
};

JournaledAlert AlertOf(const std::string& vm, size_t summary_bytes = 0);

// A client with a connection of its own.
class Client {
 public:
  explicit Client(const std::string& path);
  v1::Alerts::Stub& alerts() { return *alerts_; }
  v1::Sensor::Stub& sensor() { return *sensor_; }
  const std::shared_ptr<grpc::Channel>& channel() { return channel_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Alerts::Stub> alerts_;
  std::unique_ptr<v1::Sensor::Stub> sensor_;
};

class Stream {
 public:
  Stream(Client& client, const v1::SubscribeRequest& request);
  // The next message, empty at the end.
  v1::SubscribeResponse Read();
  uint64_t ReadSequence() { return Read().alert().position().sequence(); }
  void Cancel() { context_.TryCancel(); }
  grpc::Status Finish() { return reader_->Finish(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::SubscribeResponse>> reader_;
};

v1::SubscribeRequest Following();

class ServerTest : public ::testing::Test {
 protected:
  void Start(size_t kept = 100);
  void Publish(const std::string& vm) { ASSERT_TRUE(hub_->Publish(AlertOf(vm)).ok()); }
  uint32_t SubscribersNow();

  const TempDir dir_ = TempDir::Make().value();
  std::string socket_;
  ServerOptions options_;
  FakeView view_;
  Pulse pulse_;
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<Server> server_;
};

}  // namespace kvmsentry
