// QEMU's control socket: one command at a time, an answer for each (docs/interop/qmp-spec.txt).
#pragma once

#include <string>

#include <google/protobuf/struct.pb.h>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "tests/support/wait.h"

namespace kvmsentry::scenario {

// Move-only, not thread safe.
class Qmp {
 public:
  // Waits until QEMU listens there, and greets it.
  static absl::StatusOr<Qmp> Connect(const std::string& path);

  // ARGUMENTS is a JSON object. What QEMU refuses is an error with its words.
  absl::StatusOr<google::protobuf::Struct> Execute(absl::string_view command,
                                                   absl::string_view arguments = "{}");

  // Until FIELD of the answer to COMMAND is WANTED. An answer "failed" is an error with the answer.
  absl::Status WaitFor(absl::string_view command, const std::string& field,
                       absl::string_view wanted);

 private:
  explicit Qmp(Fd socket) : socket_(std::move(socket)) {}
  absl::StatusOr<google::protobuf::Struct> ReadObject();

  Fd socket_;
  std::string unread_;
};

}  // namespace kvmsentry::scenario
