#include "tests/support/as_user.h"

#include <cstdlib>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

namespace kvmsentry {

// By the system calls, for the C library would have all threads become somebody else.
void AsUser(uid_t uid, const std::function<void()>& what) {
  std::thread([&] {
    const bool became = syscall(SYS_setgroups, 0, nullptr) == 0 &&
                        syscall(SYS_setresgid, 0, 0, 0) == 0 &&
                        syscall(SYS_setresuid, -1, uid, -1) == 0;
    if (!became) std::abort();
    what();
  }).join();
}

}  // namespace kvmsentry
