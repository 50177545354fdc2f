#include "sensor/probe/canary_acts.h"

#include <array>
#include <climits>
#include <cstdio>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

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

// inet_sock_set_state. Nobody hears of the port, which the kernel chooses.
void ListenForAMoment() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const Fd server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!server) return;
  if (bind(server.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return;
  (void)listen(server.get(), 1);
}

// udp_sendmsg. The datagram is dropped with its socket.
void SendToItself() {
  sockaddr_in address{};
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const Fd itself(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  socklen_t size = sizeof(address);
  if (!itself || bind(itself.get(), any, size) != 0) return;
  if (getsockname(itself.get(), any, &size) != 0) return;
  (void)sendto(itself.get(), "", 1, MSG_DONTWAIT, any, size);
}

// userfaultfd_ioctl. A second time it fails, and the hook fires all the same.
void AskAboutFaults(const Fd& faults) {
  uffdio_api api{};
  api.api = UFFD_API;
  if (faults) (void)ioctl(faults.get(), UFFDIO_API, &api);
}

// security_task_fix_setuid. Not libc's, which would have all threads do it.
void StayTheSameUser() { syscall(SYS_setuid, geteuid()); }

// security_ptrace_access_check: whoever wants to know what another process runs is asked for a
// right to look into it (fs/proc/base.c, proc_fd_access_allowed).
void LookAtItsParent() {
  std::array<char, PATH_MAX> program{};
  const std::string link = absl::StrCat("/proc/", getppid(), "/exe");
  (void)!readlink(link.c_str(), program.data(), program.size());
}

// notify_change, vfs_rename and vfs_unlink.
void MakeAFileForAMoment(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/.canary-", getpid());
  const std::string renamed = absl::StrCat(path, "-");
  const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR));
  if (!file) return;
  (void)!fchmod(file.get(), 0);
  const bool gone = rename(path.c_str(), renamed.c_str()) == 0;
  unlink(gone ? renamed.c_str() : path.c_str());
}

}  // namespace

// Faults of user mode alone are everybody's to handle, Linux 5.11.
CanaryActs::CanaryActs(std::string folder)
    : folder_(std::move(folder)),
      faults_(static_cast<int>(
          syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY))) {}

void CanaryActs::Run() const {
  SignalItself();
  ConnectToItself();
  ListenForAMoment();
  SendToItself();
  StayTheSameUser();
  AskAboutFaults(faults_);
  LookAtItsParent();
  MakeAFileForAMoment(folder_);
}

}  // namespace kvmsentry
