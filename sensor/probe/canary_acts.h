// What this process does to make hooks fire that see what processes do, and that a quiet host may
// not make fire for hours.
#pragma once

#include <string>

#include "sensor/base/fd.h"

namespace kvmsentry {

class CanaryActs {
 public:
  // Makes what this process may not make any more once it is confined. FOLDER is one in which it
  // may make files.
  explicit CanaryActs(std::string folder);

  // A signal to itself that it ignores, a connection to itself, a port on which it listens for a
  // moment, its own user's rights taken once more, a question about page faults, one about its
  // parent, a file that comes and goes: nothing is different afterwards. What the service's unit
  // refuses makes nothing fire, and the hook waits for somebody else. Takes microseconds. One
  // thread at a time.
  void Run() const;

 private:
  const std::string folder_;
  const Fd faults_;  // userfaultfd(2), of no memory; none where that is refused
};

}  // namespace kvmsentry
