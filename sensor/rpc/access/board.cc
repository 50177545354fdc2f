#include "sensor/rpc/access/board.h"

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

namespace kvmsentry {
namespace {

constexpr int64_t kOneLineInNs = 10 * kNsPerSecond;

}  // namespace

absl::string_view RefusalName(Refusal refusal) {
  switch (refusal) {
    case Refusal::kConnections:
      return "connections";
    case Refusal::kCallerConnections:
      return "caller_connections";
    case Refusal::kRequests:
      return "requests";
    case Refusal::kRole:
      return "role";
  }
  return "";
}

AccessState AccessBoard::state() const {
  AccessState state{
      .connections = connections_, .max_connections = max_connections_, .refused = {}};
  for (const Refusal refusal : kRefusals) {
    state.refused[std::string(RefusalName(refusal))] = refused(refusal);
  }
  return state;
}

void AccessBoard::Refuse(Refusal refusal, const std::string& what, KernelTime now) {
  Kind& kind = At(refusal);
  ++kind.count;
  int64_t due = kind.log_after_ns.load();
  if (now.ns < due || !kind.log_after_ns.compare_exchange_strong(due, now.ns + kOneLineInNs)) {
    ++kind.left_out;
    return;
  }
  const uint64_t left_out = kind.left_out.exchange(0);
  spdlog::warn("refused: {}{}", what,
               left_out == 0 ? "" : absl::StrCat("; ", left_out, " more since the last such line"));
}

}  // namespace kvmsentry
