#include "sensor/rpc/access/grpc_log.h"

#include <atomic>

#include <grpc/support/log.h>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

#include "sensor/base/clock.h"
#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

constexpr int64_t kOneErrorInNs = 10 * kNsPerSecond;

void Log(gpr_log_func_args* line) {
  static std::atomic<int64_t> log_after_ns = 0;
  static std::atomic<uint64_t> left_out = 0;
  if (line->severity != GPR_LOG_SEVERITY_ERROR) return;
  const int64_t now_ns = SystemClock().Now().ns;
  int64_t due = log_after_ns.load();
  if (now_ns < due || !log_after_ns.compare_exchange_strong(due, now_ns + kOneErrorInNs)) {
    ++left_out;
    return;
  }
  const uint64_t others = left_out.exchange(0);
  spdlog::warn("gRPC: {}{}", Escape(line->message),
               others == 0 ? "" : absl::StrCat("; ", others, " more since the last such line"));
}

}  // namespace

void LogGrpcSparingly() { gpr_set_log_function(Log); }

}  // namespace kvmsentry
