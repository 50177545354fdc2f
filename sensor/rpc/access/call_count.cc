#include "sensor/rpc/access/call_count.h"

#include <atomic>
#include <utility>
#include <vector>

#include <grpcpp/support/server_interceptor.h>

namespace kvmsentry {
namespace {

// Lives as long as the call. gRPC makes it on one thread and destroys it on another, in an order
// that ThreadSanitizer cannot see, for gRPC's own library is not built with it: MADE_ shows that
// order.
class OpenCall final : public grpc::experimental::Interceptor {
 public:
  OpenCall(std::shared_ptr<Gate> gate, Caller caller)
      : gate_(std::move(gate)), caller_(std::move(caller)) {
    made_.store(true, std::memory_order_release);
  }
  ~OpenCall() override {
    if (made_.load(std::memory_order_acquire)) gate_->Ended(caller_);
  }
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    methods->Proceed();
  }

 private:
  const std::shared_ptr<Gate> gate_;
  const Caller caller_;
  std::atomic<bool> made_{false};
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
