// A call by the name of its method, whatever service the server has.
#pragma once

#include <string>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

namespace kvmsentry {

// Blocks until the call has ended. On this thread alone: what a callback of gRPC's threads hands
// over is handed over in an order that ThreadSanitizer cannot see.
inline grpc::Status CallGeneric(grpc::GenericStub& stub, grpc::ClientContext& context,
                                const std::string& method, const std::string& request) {
  const grpc::Slice slice(request);
  grpc::CompletionQueue queue;
  grpc::ByteBuffer response;
  grpc::Status status;
  const auto reader = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
  reader->StartCall();
  reader->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) continue;
  return status;
}

}  // namespace kvmsentry
