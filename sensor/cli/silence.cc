// kvmsentry silence add, list, end.
#include <array>
#include <string>

#include <pwd.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"
#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/hints.h"
#include "sensor/cli/output.h"
#include "sensor/cli/words.h"
#include "sensor/rpc/json.h"

namespace kvmsentry {
namespace {

// Who is logged in, also where it was root that ran this by sudo.
std::string Author() {
  const char* const by_sudo = getenv("SUDO_USER");
  if (by_sudo != nullptr && *by_sudo != '\0') return by_sudo;
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const int error = getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found);
  return error == 0 && found != nullptr ? entry.pw_name : absl::StrCat("uid ", getuid());
}

// A spec that is no pattern must be there, else nothing would ever be silenced and nobody told.
absl::Status CheckNames(const v1::SilenceMatch& match, Client& client) {
  v1::AlertFilter filter;
  if (!match.spec().empty()) filter.add_spec(match.spec());
  const std::vector<std::string> hints = HintsOn(filter, client);
  return hints.empty() ? absl::OkStatus() : absl::NotFoundError(hints[0]);
}

std::string Describe(const v1::Silence& silence, const Look& look) {
  return EscapeAgain(
      absl::StrCat("silence ", silence.id(), ": ", MatchText(silence.match()), ", until ",
                   absl::FormatTime("%Y-%m-%d %H:%M:%S", ToTime(silence.ends_at()), look.zone),
                   ": ", silence.comment()));
}

}  // namespace

int Run(const CommonOptions& common, const SilenceAddCommand& command) {
  const auto client = Client::Connect(common.target);
  if (!client.ok()) return Fail(client.status());
  if (const absl::Status named = CheckNames(command.request.match(), **client); !named.ok()) {
    return Fail(named);
  }
  v1::AddSilenceRequest request = command.request;
  if (request.author().empty()) request.set_author(Author());
  const auto added = (*client)->AddSilence(request);
  if (!added.ok()) return Fail(added.status());
  Output output(STDOUT_FILENO);
  output.Write(Describe(added->silence(), LookFor(common, false)) + "\n");
  v1::AlertFilter vm;
  if (!request.match().vm().empty()) vm.add_vm(request.match().vm());
  for (const std::string& hint : HintsOn(vm, **client)) Say("it waits for a VM: " + hint);
  if (!added->kept()) Say("it ends with the daemon, which has no --state-dir");
  return output.Finish();
}

int Run(const CommonOptions& common, const SilenceListCommand& command) {
  const auto client = Client::Connect(common.target);
  if (!client.ok()) return Fail(client.status());
  const auto response = (*client)->ListSilences();
  if (!response.ok()) return Fail(response.status());
  Output output(STDOUT_FILENO);
  if (command.json) {
    for (const v1::Silence& silence : response->silences()) output.Write(JsonLine(silence));
    if (response->silences().empty()) Say("no silences");
  } else {
    output.Write(FormatSilences(*response, LookFor(common, command.wide)));
  }
  if (!response->problem().empty()) {
    Say(absl::StrCat("silences of an earlier run were lost: ", response->problem()));
  }
  return output.Finish();
}

int Run(const CommonOptions& common, const SilenceEndCommand& command) {
  const auto client = Client::Connect(common.target);
  if (!client.ok()) return Fail(client.status());
  v1::EndSilenceRequest request;
  request.set_id(command.id);
  const auto ended = (*client)->EndSilence(request);
  if (absl::IsNotFound(ended.status())) {
    return Fail(absl::NotFoundError(absl::StrCat("no active silence has the id ", command.id,
                                                 "; \"kvmsentry silence list\" shows all")));
  }
  if (!ended.ok()) return Fail(ended.status());
  Output output(STDOUT_FILENO);
  output.Write(EscapeAgain(absl::StrCat("silence ", ended->silence().id(),
                                        " ended: ", MatchText(ended->silence().match()))) +
               "\n");
  return output.Finish();
}

}  // namespace kvmsentry
