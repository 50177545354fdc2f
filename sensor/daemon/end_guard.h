// Ends the process where its end hangs: in a worker's job that does not return, or in a log that
// nobody reads.
#pragma once

#include <chrono>
#include <string>
#include <thread>

namespace kvmsentry {

// Made when the process begins to end, destroyed when nothing is left that could hang.
class EndGuard {
 public:
  // GRACE later it logs BUSY, what may hold up the end, and ends the process with EXIT_CODE. A log
  // that blocks gets kLogGrace more.
  EndGuard(std::chrono::milliseconds grace, std::string busy, int exit_code);

  static constexpr std::chrono::seconds kLogGrace{2};

 private:
  std::jthread thread_;
};

}  // namespace kvmsentry
