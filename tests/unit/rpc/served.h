// A server with nothing to tell, and clients of it, for tests of who may reach it.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include "kvmsentry/v1/alerts.grpc.pb.h"
#include "kvmsentry/v1/sensor.grpc.pb.h"
#include "sensor/base/fd.h"
#include "sensor/rpc/server.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {

class EmptyView final : public SensorView {
 public:
  SensorStatus Status() const override { return {}; }
  std::vector<VmView> Vms(bool) const override { return {}; }
  std::optional<MembersView> Members(VmId) const override { return std::nullopt; }
  std::vector<SpecView> Specs() const override { return {}; }
};

class ServedTest : public ::testing::Test {
 protected:
  // With options_, at socket_.
  void Start();

  // As the user of this test: root, who is an admin, or another, who is one only if options_ say
  // so.
  Fd Connect() const;
  // As a user who is no admin.
  Fd ConnectAsViewer() const;

  const TempDir dir_ = TempDir::Make().value();
  std::string socket_ = dir_ / "run/s.sock";
  ServerOptions options_;
  AccessBoard board_;
  EmptyView view_;
  Pulse pulse_;
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<Server> server_;
};

// gRPC over CONNECTION; it does not connect again.
std::shared_ptr<grpc::Channel> ChannelOver(Fd connection);

// How a call of METHOD, "/package.Service/Method", with these bytes ends.
grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                  const std::string& request = "");

inline constexpr char kGetStatus[] = "/kvmsentry.v1.Sensor/GetStatus";
// There is none. Who may call it hears that; who may not, that first.
inline constexpr char kAdminMethod[] = "/kvmsentry.v1.TestAdmin/Do";

// Whether the peer closes CONNECTION in time; what it sent before is thrown away.
bool IsClosedByPeer(const Fd& connection);
void Send(const Fd& connection, const std::string& bytes);

}  // namespace kvmsentry
