#include "sensor/rpc/access/call_count.h"

#include <utility>
#include <vector>

#include <grpcpp/support/server_interceptor.h>

namespace kvmsentry {
namespace {

// Lives as long as the call.
class OpenCall final : public grpc::experimental::Interceptor {
 public:
  OpenCall(std::shared_ptr<Gate> gate, Caller caller)
      : gate_(std::move(gate)), caller_(std::move(caller)) {}
  ~OpenCall() override { gate_->Ended(caller_); }
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    methods->Proceed();
  }

 private:
  const std::shared_ptr<Gate> gate_;
  const Caller caller_;
};

class OpenCalls final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit OpenCalls(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    return new OpenCall(gate_, CallerOf(*info->server_context()));
  }

 private:
  const std::shared_ptr<Gate> gate_;
};

}  // namespace

void CountOpenCalls(const std::shared_ptr<Gate>& gate, grpc::ServerBuilder& builder) {
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> creators;
  creators.push_back(std::make_unique<OpenCalls>(gate));
  builder.experimental().SetInterceptorCreators(std::move(creators));
}

}  // namespace kvmsentry
