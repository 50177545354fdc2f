#include "sensor/cli/channel.h"

#include <cerrno>

#include <fcntl.h>
#include <grpc/support/log.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/security/credentials.h>

#include "sensor/cli/cannot_reach.h"
#include "sensor/inventory/files.h"
#include "sensor/rpc/connect.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxPemBytes = 1 << 20;
constexpr int kMaxAnswerBytes = 64 << 20;

// What every VM of a large host was given is more than gRPC takes by itself, 4 MiB.
grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  return arguments;
}

}  // namespace

// By a descriptor of its own, so that a failure tells its errno, and gRPC neither reads the path as
// a URI nor connects again behind our back.
absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenUnixChannel(const std::string& socket) {
  Fd fd = ConnectUnix(socket);
  if (!fd) return CannotReach(socket, errno);
  return grpc::CreateCustomInsecureChannelFromFd("kvmsentryd", fd.release(), Arguments());
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenTlsChannel(const Target& target) {
  gpr_set_log_function([](gpr_log_func_args*) {});  // what fails is said once, by us
  grpc::SslCredentialsOptions options;
  for (const auto& [file, text] : {std::pair(&target.ca, &options.pem_root_certs),
                                   std::pair(&target.key, &options.pem_private_key),
                                   std::pair(&target.cert, &options.pem_cert_chain)}) {
    KVMSENTRY_ASSIGN_OR_RETURN(*text, ReadFileAt(AT_FDCWD, *file, kMaxPemBytes));
  }
  return grpc::CreateCustomChannel(target.address, grpc::SslCredentials(options), Arguments());
}

}  // namespace kvmsentry
