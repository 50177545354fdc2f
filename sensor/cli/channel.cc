#include "sensor/cli/channel.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <grpc/support/log.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/security/credentials.h>
#include <sys/stat.h>

#include "sensor/inventory/files.h"
#include "sensor/rpc/connect.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxPemBytes = 1 << 20;
constexpr size_t kMaxGroupBytes = 64 << 10;

std::string GroupName(gid_t gid) {
  std::vector<char> buffer(kMaxGroupBytes);
  group entry{};
  group* found = nullptr;
  getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? absl::StrCat(gid) : found->gr_name;
}

// Who may reach SOCKET: its group, or that of the folder which hides it.
std::string WhoMay(const std::string& socket) {
  struct stat info {};
  std::filesystem::path path(socket);
  while (stat(path.c_str(), &info) != 0 && path.has_relative_path()) path = path.parent_path();
  if (info.st_gid == 0) return "; only root may: run it as root";
  const std::string group = GroupName(info.st_gid);
  return absl::StrCat("; only root and members of the group ", group, " may: usermod -aG ", group,
                      " USER, and log in again");
}

absl::Status CannotReach(const std::string& socket, int error) {
  const std::string what =
      absl::StrCat("cannot reach kvmsentryd at ", socket, ": ", strerror(error));
  if (error == EACCES || error == EPERM) {
    return absl::PermissionDeniedError(absl::StrCat(what, WhoMay(socket)));
  }
  return absl::UnavailableError(absl::StrCat(what, "; is it running?"));
}

}  // namespace

// By a descriptor of its own, so that a failure tells its errno, and gRPC neither reads the path as
// a URI nor connects again behind our back.
absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenUnixChannel(const std::string& socket) {
  Fd fd = ConnectUnix(socket);
  if (!fd) return CannotReach(socket, errno);
  return grpc::CreateInsecureChannelFromFd("kvmsentryd", fd.release());
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenTlsChannel(const Target& target) {
  gpr_set_log_function([](gpr_log_func_args*) {});  // what fails is said once, by us
  grpc::SslCredentialsOptions options;
  for (const auto& [file, text] : {std::pair(&target.ca, &options.pem_root_certs),
                                   std::pair(&target.key, &options.pem_private_key),
                                   std::pair(&target.cert, &options.pem_cert_chain)}) {
    KVMSENTRY_ASSIGN_OR_RETURN(*text, ReadFileAt(AT_FDCWD, *file, kMaxPemBytes));
  }
  return grpc::CreateChannel(target.address, grpc::SslCredentials(options));
}

}  // namespace kvmsentry
