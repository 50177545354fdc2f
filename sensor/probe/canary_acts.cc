#include "sensor/probe/canary_acts.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "sensor/base/fd.h"

namespace kvmsentry {
namespace {

// signal_generate. Who does not wait for SIGURG ignores it (signal(7)).
void SignalItself() { syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGURG); }

// security_unix_stream_connect. The kernel chooses an abstract name (unix(7), autobind).
void ConnectToItself() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  const Fd server(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!server || bind(server.get(), any, sizeof(address.sun_family)) != 0) return;
  socklen_t size = sizeof(address);
  if (listen(server.get(), 1) != 0 || getsockname(server.get(), any, &size) != 0) return;
  const Fd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (client) (void)connect(client.get(), any, size);
}

// security_task_fix_setuid. Not libc's, which would have all threads do it.
void StayTheSameUser() { syscall(SYS_setuid, geteuid()); }

}  // namespace

void RunCanaryActs() {
  SignalItself();
  ConnectToItself();
  StayTheSameUser();
}

}  // namespace kvmsentry
