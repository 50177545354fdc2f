#include "sensor/rpc/access/gate.h"

#include "absl/strings/match.h"
#include "spdlog/spdlog.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

constexpr double kBurstSeconds = 2;
// Calls that ended before a handler got them, unknown ones among them, are taken for open no longer
// one by one. A client that really holds them open gets so many more.
constexpr double kForgottenPerSecond = 0.2;

// How to get NEEDED, for who comes as CALLER did.
std::string Remedy(const Caller& caller, Role needed) {
  if (absl::StartsWith(caller.name, "uid ")) {
    return "call as root, or have the user named by --admin-user, or a group of it by "
           "--admin-group, of kvmsentryd";
  }
  return absl::StrCat("have a DNS or URI name of the certificate listed by ",
                      needed == Role::kViewer ? "--viewer-san or --admin-san" : "--admin-san",
                      " of kvmsentryd");
}

}  // namespace

Gate::Gate(const Limits& limits, AccessBoard& board, const Clock& clock)
    : rate_(limits.calls_per_second, limits.calls_per_second * kBurstSeconds),
      open_(limits.open_calls == 0 ? 0 : kForgottenPerSecond, limits.open_calls),
      board_(board),
      clock_(clock) {}

absl::Status Gate::Admit(const Caller& caller, absl::string_view method, size_t header_bytes) {
  const Role needed = RoleNeeded(method);
  if (caller.role < needed) {
    const std::string service = Escape(ServiceOf(method));
    board_.Refuse(Refusal::kRole,
                  absl::StrCat("a call of ", service, " by ", caller.name, ", whose role is ",
                               RoleName(caller.role)),
                  clock_.Now());
    return absl::PermissionDeniedError(absl::StrCat(
        service, " needs the role ", RoleName(needed), ", and ", caller.name,
        caller.role == Role::kNone ? " has none" : absl::StrCat(" is a ", RoleName(caller.role)),
        "; ", Remedy(caller, needed)));
  }
  if (!rate_.Take(caller.name, clock_.Now())) {
    board_.Refuse(
        Refusal::kRequests,
        absl::StrCat("calls of ", caller.name, ", more than ", rate_.per_second(), " a second"),
        clock_.Now());
    return absl::ResourceExhaustedError(absl::StrCat(
        caller.name, " makes more than ", rate_.per_second(),
        " calls a second; call less often, subscribe instead of polling, or raise --max-requests"));
  }
  // gRPC itself applies its limit only to who acknowledges it.
  if (header_bytes > kMaxHeaderBytes) {
    board_.Refuse(
        Refusal::kRequests,
        absl::StrCat("a call of ", caller.name, " with ", header_bytes, " bytes of headers"),
        clock_.Now());
    return absl::ResourceExhaustedError(absl::StrCat(
        "the call has ", header_bytes, " bytes of headers; send ", kMaxHeaderBytes, " at most"));
  }
  if (!open_.Take(caller.name, clock_.Now())) {
    board_.Refuse(Refusal::kRequests,
                  absl::StrCat("calls of ", caller.name, ", which has ", open_.at_once(), " open"),
                  clock_.Now());
    return absl::ResourceExhaustedError(
        absl::StrCat(caller.name, " has ", open_.at_once(), " calls open; end some of them"));
  }
  if (needed == Role::kAdmin) spdlog::info("{} calls {}", caller.name, Escape(method));
  return absl::OkStatus();
}

}  // namespace kvmsentry
