// The one place that decides whether a call goes on to its handler.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

#include "sensor/base/clock.h"
#include "sensor/base/status.h"
#include "sensor/rpc/access/board.h"
#include "sensor/rpc/access/caller.h"
#include "sensor/rpc/access/rate_limit.h"

namespace kvmsentry {

// Each call of each service passes here before anything of it is read but its headers. Thread safe.
class Gate {
 public:
  static constexpr int kMaxHeaderBytes = 8 << 10;

  // Of each caller. A caller that was quiet may make two seconds' worth of calls at once.
  struct Limits {
    double calls_per_second = 100;  // 0: no limit
    uint32_t open_calls = 256;      // 0: no limit
  };

  // BOARD and CLOCK outlive it.
  Gate(const Limits& limits, AccessBoard& board, const Clock& clock);

  // PERMISSION_DENIED where the caller's role does not suffice for METHOD, with the role that does
  // and how to get it; RESOURCE_EXHAUSTED where it asks too often, or has
  // too many calls open. Calls of admins are logged.
  // HEADER_BYTES of it are held for as long as the call goes on; those above kMaxHeaderBytes are
  // RESOURCE_EXHAUSTED, too.
  absl::Status Admit(const Caller& caller, absl::string_view method, size_t header_bytes = 0);

  // A call of CALLER that was admitted is over. It is not known of a call that no handler got: such
  // a one counts as open for some time.
  void Ended(const Caller& caller) { open_.Give(caller.name); }

 private:
  RateLimit rate_;
  RateLimit open_;
  AccessBoard& board_;
  const Clock& clock_;
};

}  // namespace kvmsentry
