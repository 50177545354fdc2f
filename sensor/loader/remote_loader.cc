#include "sensor/loader/remote_loader.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/loader/codec.h"
#include "sensor/loader/serve.h"
#include "sensor/probe/libbpf_loader.h"

namespace kvmsentry {
namespace {

// It ends with the daemon, however that ends: with the socket, or, should it be busy, by a signal.
// A terminal's and systemd's signals go to both, and are the daemon's to answer.
[[noreturn]] void RunLoader(Fd socket, pid_t daemon, const ProbeOptions& options,
                            const std::vector<const BpfSource*>& sources,
                            const std::function<absl::Status()>& confine) {
  prctl(PR_SET_NAME, "kvmsentry-load");
  // Else a daemon of the same user could write to /proc/PID/mem, and have these rights.
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != daemon) _exit(1);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_IGN);
  const std::vector<const Hook*> hooks = MapPlan("", MapSizes{}, sources).hooks();
  const absl::Status confined = confine();
  ReplyWriter hello(hooks);
  hello.Add(confined);
  if (!hello.Send(socket.get()).ok() || !confined.ok()) _exit(1);
  LibbpfLoader loader(options, sources);
  const absl::Status served = ServeLoader(socket.get(), hooks, loader);
  _exit(served.ok() ? 0 : 1);
}

}  // namespace

RemoteLoader::RemoteLoader(pid_t pid, Fd socket, std::vector<const Hook*> hooks)
    : pid_(pid), socket_(std::move(socket)), hooks_(std::move(hooks)) {}

absl::StatusOr<std::unique_ptr<RemoteLoader>> RemoteLoader::Start(
    const ProbeOptions& options, const std::vector<const BpfSource*>& sources,
    const std::function<absl::Status()>& confine) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return absl::ErrnoToStatus(errno, "a socket to the loader");
  }
  Fd ours(ends[0]);
  Fd its(ends[1]);
  const pid_t daemon = getpid();
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "starting the loader");
  if (pid == 0) {
    ours.reset();
    RunLoader(std::move(its), daemon, options, sources, confine);
  }
  its.reset();
  std::unique_ptr<RemoteLoader> loader(
      new RemoteLoader(pid, std::move(ours), MapPlan("", MapSizes{}, sources).hooks()));
  KVMSENTRY_RETURN_IF_ERROR(loader->Next().status());
  return loader;
}

RemoteLoader::~RemoteLoader() {
  kill(pid_, SIGKILL);  // it has nothing to finish, and may be busy
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

absl::Status RemoteLoader::Broken(const absl::Status& why) {
  kill(pid_, SIGKILL);
  shutdown(socket_.get(), SHUT_RDWR);
  return why;
}

template <typename T>
absl::StatusOr<T> RemoteLoader::Whole(absl::StatusOr<T> taken) {
  if (!taken.ok()) return Broken(taken.status());
  return taken;
}

absl::StatusOr<ReplyReader> RemoteLoader::Next() {
  KVMSENTRY_ASSIGN_OR_RETURN(Packet packet, Whole(ReadPacket(socket_.get())));
  ReplyReader reply(hooks_, std::move(packet));
  if (!reply.Parse()) return Broken(absl::DataLossError("the loader's answer has no known form"));
  KVMSENTRY_RETURN_IF_ERROR(reply.status());
  return reply;
}

absl::StatusOr<ReplyReader> RemoteLoader::Ask(const LoaderRequest& request) {
  if (const absl::Status sent = SendRequest(socket_.get(), request); !sent.ok()) {
    return Broken(sent);
  }
  return Next();
}

absl::StatusOr<Loader::Prepared> RemoteLoader::Prepare() {
  Prepared prepared;
  KVMSENTRY_ASSIGN_OR_RETURN(ReplyReader reply, Ask({.task = LoaderTask::kPrepare}));
  KVMSENTRY_ASSIGN_OR_RETURN(prepared.folder, Whole(reply.TakePins()));
  while (reply.more()) {
    KVMSENTRY_ASSIGN_OR_RETURN(reply, Next());
    KVMSENTRY_ASSIGN_OR_RETURN(std::vector<LoadedObject> objects, Whole(reply.TakeObjects()));
    for (LoadedObject& object : objects) prepared.maps.push_back(std::move(object));
  }
  if (prepared.maps.empty()) return Broken(absl::DataLossError("the loader's answer has no ring"));
  prepared.self = std::move(prepared.maps.back());
  prepared.maps.pop_back();
  return prepared;
}

absl::StatusOr<Loader::Attached> RemoteLoader::Attach(std::span<const Hook* const> hooks) {
  LoaderRequest request{.task = LoaderTask::kAttach};
  if (hooks.size() > LoaderRequest::kMostHooks) return absl::InternalError("too many hooks");
  for (const Hook* hook : hooks) {
    const auto place = std::ranges::find(hooks_, hook) - hooks_.begin();
    request.hooks[request.hook_count++] = static_cast<uint16_t>(place);
  }
  KVMSENTRY_ASSIGN_OR_RETURN(ReplyReader reply, Ask(request));
  Attached attached;
  while (reply.more()) {
    KVMSENTRY_ASSIGN_OR_RETURN(std::vector<LoadedObject> objects, Whole(reply.TakeObjects()));
    for (LoadedObject& object : objects) attached.objects.push_back(std::move(object));
    KVMSENTRY_ASSIGN_OR_RETURN(reply, Next());
  }
  KVMSENTRY_ASSIGN_OR_RETURN(attached.coverage, Whole(reply.TakeHooks()));
  return attached;
}

absl::StatusOr<LoadedLink> RemoteLoader::Reattach(uint32_t object, uint32_t program) {
  KVMSENTRY_ASSIGN_OR_RETURN(
      ReplyReader reply,
      Ask({.task = LoaderTask::kReattach, .object = object, .program = program}));
  return Whole(reply.TakeLink());
}

absl::Status RemoteLoader::Detach(uint32_t object, uint32_t program) {
  return Ask({.task = LoaderTask::kDetach, .object = object, .program = program}).status();
}

absl::StatusOr<Fd> RemoteLoader::CountRunTimes() {
  KVMSENTRY_ASSIGN_OR_RETURN(ReplyReader reply, Ask({.task = LoaderTask::kCountRunTimes}));
  return Whole(reply.TakeOpened());
}

absl::Status RemoteLoader::Audit() {
  siginfo_t ended{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      ended.si_pid == 0) {
    return absl::OkStatus();
  }
  return absl::UnavailableError(absl::StrCat(
      "process ", pid_, ended.si_code == CLD_EXITED ? " exited with " : " was killed by signal ",
      ended.si_status, "; restart kvmsentryd"));
}

}  // namespace kvmsentry
