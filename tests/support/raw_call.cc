#include "tests/support/raw_call.h"

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

namespace kvmsentry {

absl::StatusOr<std::string> CallRaw(const std::shared_ptr<grpc::Channel>& channel,
                                    const std::string& method, const std::string& request) {
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  const auto wait = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const grpc::Slice slice(request);
  grpc::ByteBuffer answer;
  const auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  bool answered = wait();
  if (answered) call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  answered = answered && wait();
  if (answered) call->WritesDone(nullptr);
  answered = answered && wait();
  if (answered) call->Read(&answer, nullptr);
  answered = answered && wait();
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
  grpc::Slice whole;
  if (!status.ok() || !answered || !answer.DumpToSingleSlice(&whole).ok()) {
    return absl::UnavailableError(absl::StrCat(method, ": ", status.error_message()));
  }
  return std::string(reinterpret_cast<const char*>(whole.begin()), whole.size());
}

}  // namespace kvmsentry
