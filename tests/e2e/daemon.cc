#include "tests/e2e/daemon.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <utility>

#include "sensor/source/registry.h"
#include "tests/support/wait.h"

namespace kvmsentry {

std::vector<std::string> DaemonCommand(const Place& place,
                                       const std::vector<std::string>& options) {
  std::vector<std::string> command = {KVMSENTRYD,       "--specs",      place.specs(),
                                      "--socket",       place.socket(), "--pin-root",
                                      place.pin_root(), "--heartbeat",  "1"};
  // What a test is about must not depend on how busy the machine is, nor on the host's own specs.
  const std::string site = place.site_specs();
  for (const auto& [option, value] : {std::pair("--max-vms", "256"),
                                      {"--max-vcpus", "1024"},
                                      {"--cost-budget", "0"},
                                      {"--site-specs", site.c_str()}}) {
    if (std::ranges::find(options, option) != options.end()) continue;
    command.insert(command.end(), {option, value});
  }
  command.insert(command.end(), place.options().begin(), place.options().end());
  command.insert(command.end(), options.begin(), options.end());
  return command;
}

std::vector<std::string> FewHooks() {
  constexpr absl::string_view kKept[] = {"life", "inventory", "device", "msr", "userspace", "exit"};
  std::vector<std::string> options;
  for (const Hook& hook : Hooks()) {
    if (std::ranges::find(kKept, hook.bpf) != std::end(kKept)) continue;
    options.insert(options.end(), {"--without-hook", std::string(hook.name)});
  }
  return options;
}

absl::StatusOr<Daemon> Daemon::Start(const Place& place, const std::vector<std::string>& options) {
  KVMSENTRY_ASSIGN_OR_RETURN(Process process, Process::Start(DaemonCommand(place, options)));
  bool ended = false;
  const bool told = WaitUntil([&] {
    ended = process.Wait(absl::ZeroDuration()).ok();
    // The socket appears only when it is served.
    return ended || std::filesystem::exists(place.socket());
  });
  if (told && !ended) return Daemon(std::move(process));
  return absl::InternalError(
      absl::StrCat("the daemon ", ended ? "ended" : "does not serve", ": ", process.Errors()));
}

absl::StatusOr<int> Daemon::Stop() {
  KVMSENTRY_RETURN_IF_ERROR(process_.Signal(SIGTERM));
  return process_.Wait();
}

}  // namespace kvmsentry
