#include "sensor/rpc/access/door.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "absl/strings/string_view.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

absl::string_view TextOf(const grpc_slice& slice) {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
}

// It is made before gRPC's threads call it, in an order that ThreadSanitizer cannot see, for gRPC's
// own library is not built with it: MADE_ shows that order.
class Guard {
 public:
  Guard(std::shared_ptr<Gate> gate, CallerSource source)
      : gate_(std::move(gate)), source_(std::move(source)) {
    made_.store(true, std::memory_order_release);
  }

  absl::Status Check(grpc_auth_context* context, absl::string_view method, size_t header_bytes) {
    if (!made_.load(std::memory_order_acquire)) return absl::InternalError("no guard");
    return gate_->Admit(CallerIn(context), method, header_bytes);
  }

 private:
  // All calls of a connection share CONTEXT, and adding to it moves what is there. It is done under
  // the lock by the first call, before a handler of any call can read it.
  Caller CallerIn(grpc_auth_context* context) {
    std::lock_guard lock(mutex_);
    Caller caller;
    if (!Recall(context, caller)) {
      caller = source_(context);
      Remember(context, caller);
    }
    return caller;
  }

  const std::shared_ptr<Gate> gate_;
  const CallerSource source_;
  std::atomic<bool> made_{false};
  std::mutex mutex_;
};

// gRPC calls it with the headers of each call, on one of its threads; it must not block.
void Process(void* state, grpc_auth_context* context, const grpc_metadata* headers, size_t count,
             grpc_process_auth_metadata_done_cb done, void* call) {
  absl::string_view method;
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    bytes += TextOf(headers[i].key).size() + TextOf(headers[i].value).size();
    if (TextOf(headers[i].key) == ":path") method = TextOf(headers[i].value);
  }
  const absl::Status status = static_cast<Guard*>(state)->Check(context, method, bytes);
  done(call, nullptr, 0, nullptr, 0, static_cast<grpc_status_code>(status.raw_code()),
       status.ok() ? nullptr : EscapeAgain(status.message()).c_str());
}

// C++ offers neither local credentials that know a single connection, nor TLS ones whose files may
// change: so gRPC's C interface, which does.
class GuardedCredentials final : public grpc::ServerCredentials {
 public:
  GuardedCredentials(grpc_server_credentials* credentials, std::shared_ptr<Gate> gate,
                     CallerSource source)
      : credentials_(credentials) {
    grpc_server_credentials_set_auth_metadata_processor(
        credentials_, {.process = Process,
                       .destroy = [](void* state) { delete static_cast<Guard*>(state); },
                       .state = new Guard(std::move(gate), std::move(source))});
  }
  ~GuardedCredentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

}  // namespace

Door::Door(grpc_server_credentials* credentials, std::shared_ptr<Gate> gate, CallerSource source,
           grpc::ServerBuilder& builder)
    : acceptor_(builder.experimental().AddExternalConnectionAcceptor(
          grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
          std::make_shared<GuardedCredentials>(credentials, std::move(gate), std::move(source)))) {}

void Door::HandOver(Fd connection) {
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.fd = connection.release();
  acceptor_->HandleNewConnection(&parameters);
}

}  // namespace kvmsentry
