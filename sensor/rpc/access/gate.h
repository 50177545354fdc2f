// The one place that decides whether a call goes on to its handler.
#pragma once

#include <cstddef>

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

  // BOARD and CLOCK outlive it.
  Gate(double requests_per_second, AccessBoard& board, const Clock& clock)
      : rate_(requests_per_second), board_(board), clock_(clock) {}

  // PERMISSION_DENIED where the caller's role does not suffice for METHOD, with the role that does
  // and how to get it; RESOURCE_EXHAUSTED where it asks too often. Calls of admins are logged.
  // HEADER_BYTES of it are held for as long as the call goes on; those above kMaxHeaderBytes are
  // RESOURCE_EXHAUSTED, too.
  absl::Status Admit(const Caller& caller, absl::string_view method, size_t header_bytes = 0);

 private:
  RateLimit rate_;
  AccessBoard& board_;
  const Clock& clock_;
};

}  // namespace kvmsentry
