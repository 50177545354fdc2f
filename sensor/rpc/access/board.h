// What was refused to clients, counted and logged: a refusal that nobody can see looks like a
// fault.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "absl/strings/string_view.h"

#include "sensor/base/time.h"

namespace kvmsentry {

enum class Refusal {
  kConnections,        // too many in all
  kCallerConnections,  // too many of one user, or from one address
  kRequests,           // one caller asked too often
  kRole,               // the caller's role does not suffice
};
inline constexpr std::array kRefusals = {Refusal::kConnections, Refusal::kCallerConnections,
                                         Refusal::kRequests, Refusal::kRole};

absl::string_view RefusalName(Refusal refusal);  // "connections"

struct AccessState {
  uint32_t connections = 0;
  uint32_t max_connections = 0;
  std::map<std::string, uint64_t> refused;  // by RefusalName, zeros included
};

// Of each kind at most a line in ten seconds is logged, whatever clients do. Thread safe.
class AccessBoard {
 public:
  // WHAT, with whom it concerns, is escaped.
  void Refuse(Refusal refusal, const std::string& what, KernelTime now);
  uint64_t refused(Refusal refusal) const { return At(refusal).count.load(); }

  void set_connections(uint32_t open, uint32_t max) {
    connections_ = open;
    max_connections_ = max;
  }
  AccessState state() const;

 private:
  struct Kind {
    std::atomic<uint64_t> count = 0;
    std::atomic<int64_t> log_after_ns = 0;
    std::atomic<uint64_t> left_out = 0;
  };
  Kind& At(Refusal refusal) { return kinds_[static_cast<size_t>(refusal)]; }
  const Kind& At(Refusal refusal) const { return kinds_[static_cast<size_t>(refusal)]; }

  std::array<Kind, kRefusals.size()> kinds_;
  std::atomic<uint32_t> connections_ = 0;
  std::atomic<uint32_t> max_connections_ = 0;
};

}  // namespace kvmsentry
