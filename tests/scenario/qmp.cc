#include "tests/scenario/qmp.h"

#include <cerrno>
#include <cstring>

#include <google/protobuf/util/json_util.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "absl/time/clock.h"

namespace kvmsentry::scenario {
namespace {

using google::protobuf::Struct;

absl::StatusOr<Fd> Dial(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is too long for a socket"));
  }
  path.copy(address.sun_path, path.size());
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return absl::ErrnoToStatus(errno, "socket");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("connecting to ", path));
  }
  return fd;
}

std::string TextOf(const Struct& object, const std::string& field) {
  const auto value = object.fields().find(field);
  return value == object.fields().end() ? "" : value->second.string_value();
}

}  // namespace

absl::StatusOr<Qmp> Qmp::Connect(const std::string& path) {
  absl::StatusOr<Fd> socket = absl::UnavailableError(path);
  WaitUntil([&] { return (socket = Dial(path)).ok(); });
  if (!socket.ok()) return socket.status();
  Qmp qmp(*std::move(socket));
  KVMSENTRY_RETURN_IF_ERROR(qmp.ReadObject().status());  // the greeting
  KVMSENTRY_RETURN_IF_ERROR(qmp.Execute("qmp_capabilities").status());
  return qmp;
}

absl::StatusOr<Struct> Qmp::ReadObject() {
  const absl::Time deadline = absl::Now() + kPatience;
  size_t end = 0;
  while ((end = unread_.find('\n')) == std::string::npos) {
    pollfd wait{socket_.get(), POLLIN, 0};
    const int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left <= 0) return absl::DeadlineExceededError("QEMU does not answer on its control socket");
    if (poll(&wait, 1, static_cast<int>(left)) <= 0) continue;
    char buffer[4096];
    const ssize_t got = recv(socket_.get(), buffer, sizeof(buffer), 0);
    if (got < 0) return absl::ErrnoToStatus(errno, "reading QEMU's control socket");
    if (got == 0) return absl::UnavailableError("QEMU closed its control socket");
    unread_.append(buffer, static_cast<size_t>(got));
  }
  const std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  Struct object;
  if (google::protobuf::util::JsonStringToMessage(line, &object).ok()) return object;
  return absl::InternalError(absl::StrCat("QEMU answers with no JSON: ", line));
}

absl::StatusOr<Struct> Qmp::Execute(absl::string_view command, absl::string_view arguments) {
  const std::string request =
      absl::StrCat("{\"execute\":\"", command, "\",\"arguments\":", arguments, "}\n");
  if (send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return absl::ErrnoToStatus(errno, absl::StrCat("QMP ", command));
  }
  for (;;) {
    auto answer = ReadObject();
    if (!answer.ok()) return Annotate(answer.status(), absl::StrCat("QMP ", command));
    const auto& fields = answer->fields();
    if (const auto error = fields.find("error"); error != fields.end()) {
      return absl::InternalError(
          absl::StrCat("QMP ", command, ": ", TextOf(error->second.struct_value(), "desc")));
    }
    if (const auto value = fields.find("return"); value != fields.end()) {
      return value->second.struct_value();
    }
    // Else an event: what they tell, commands tell too.
  }
}

absl::Status Qmp::WaitFor(absl::string_view command, const std::string& field,
                          absl::string_view wanted) {
  absl::StatusOr<Struct> answer = Struct();
  std::string value;
  const bool came = WaitUntil([&] {
    answer = Execute(command);
    if (answer.ok()) value = TextOf(*answer, field);
    return !answer.ok() || value == wanted || value == "failed";
  });
  if (!answer.ok()) return answer.status();
  if (came && value == wanted) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(command, ": not ", wanted, " but ", answer->ShortDebugString()));
}

}  // namespace kvmsentry::scenario
