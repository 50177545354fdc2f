#include "tests/e2e/cli.h"

#include <utility>

#include <google/protobuf/util/json_util.h>
#include <grpc/grpc.h>

namespace kvmsentry {
namespace {

template <typename Message>
absl::StatusOr<Message> FromJson(const std::string& line) {
  Message message;
  const auto parsed = google::protobuf::util::JsonStringToMessage(line, &message);
  if (parsed.ok()) return message;
  return absl::InternalError(
      absl::StrCat("no ", message.GetTypeName(), ": ", parsed.ToString(), ": ", line));
}

template <typename Message>
absl::StatusOr<std::vector<Message>> FromJson(const absl::StatusOr<std::vector<std::string>>& all) {
  if (!all.ok()) return all.status();
  std::vector<Message> messages;
  for (const std::string& line : *all) {
    KVMSENTRY_ASSIGN_OR_RETURN(messages.emplace_back(), FromJson<Message>(line));
  }
  return messages;
}

}  // namespace

absl::StatusOr<v1::SubscribeResponse> AlertStream::Read(absl::Duration limit) {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string line, process_.ReadLine(limit));
  KVMSENTRY_ASSIGN_OR_RETURN(auto message, FromJson<v1::SubscribeResponse>(line));
  if (message.has_alert()) alerts_.push_back(message.alert());
  if (message.has_gap()) gaps_.push_back(message.gap());
  return message;
}

absl::StatusOr<v1::Alert> AlertStream::WaitFor(absl::string_view vm, absl::string_view spec,
                                               v1::Alert::State state) {
  const absl::Time deadline = absl::Now() + kPatience;
  for (size_t next = 0;;) {
    for (; next < alerts_.size(); ++next) {
      const v1::Alert& alert = alerts_[next];
      if (alert.vm().name() == vm && alert.spec_id() == spec && alert.state() == state) {
        return alert;
      }
    }
    // Heartbeats come all the time, so that each Read alone says nothing.
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("no alert ", spec, " of ", vm, " came to ", v1::Alert::State_Name(state)));
    }
    KVMSENTRY_RETURN_IF_ERROR(Read(deadline - absl::Now()).status());
  }
}

absl::Status AlertStream::ReadUpTo(absl::Time time) {
  const absl::Time deadline = absl::Now() + kPatience;
  for (;;) {
    KVMSENTRY_ASSIGN_OR_RETURN(const auto message, Read(deadline - absl::Now()));
    if (message.has_heartbeat() && ToTime(message.heartbeat().at()) > time) return absl::OkStatus();
  }
}

std::vector<std::string> Cli::Command(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command = {KVMSENTRY_CLI, "--socket", socket_};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

absl::StatusOr<Finished> Cli::Run(const std::vector<std::string>& arguments) const {
  return RunToEnd(Command(arguments));
}

absl::StatusOr<std::vector<std::string>> Cli::Json(std::vector<std::string> arguments) const {
  arguments.emplace_back("--json");
  KVMSENTRY_ASSIGN_OR_RETURN(Finished finished, Run(arguments));
  if (finished.exit_code == 0) return std::move(finished.lines);
  return absl::InternalError(absl::StrCat("kvmsentry ", arguments[0], " ended with ",
                                          finished.exit_code, ": ", finished.errors));
}

absl::StatusOr<std::unique_ptr<Client>> Cli::Connect() const {
  // Else its threads would end with each connection.
  [[maybe_unused]] static const bool kept = (grpc_init(), true);
  Target target;
  target.socket = socket_;
  return Client::Connect(target);
}

absl::StatusOr<v1::GetStatusResponse> Cli::Status() const {
  KVMSENTRY_ASSIGN_OR_RETURN(const auto client, Connect());
  return client->GetStatus();
}

absl::StatusOr<std::vector<v1::VmStatus>> Cli::Vms(const std::string& glob) const {
  v1::ListVmsRequest request;
  request.add_vm(glob);
  KVMSENTRY_ASSIGN_OR_RETURN(const auto client, Connect());
  KVMSENTRY_ASSIGN_OR_RETURN(const v1::ListVmsResponse response, client->ListVms(request));
  return std::vector(response.vms().begin(), response.vms().end());
}

absl::StatusOr<std::vector<v1::SpecInfo>> Cli::Specs() const {
  KVMSENTRY_ASSIGN_OR_RETURN(const auto client, Connect());
  KVMSENTRY_ASSIGN_OR_RETURN(const v1::ListSpecsResponse response, client->ListSpecs({}));
  return std::vector(response.specs().begin(), response.specs().end());
}

absl::StatusOr<v1::VmStatus> Cli::Given(const std::string& vm) const {
  KVMSENTRY_ASSIGN_OR_RETURN(auto vms, FromJson<v1::VmStatus>(Json({"vms", vm})));
  if (vms.size() == 1) return std::move(vms[0]);
  return absl::InternalError(absl::StrCat(vms.size(), " VMs are called ", vm));
}

absl::StatusOr<std::vector<v1::SubscribeResponse>> Cli::Alerts(
    const std::vector<std::string>& arguments) const {
  std::vector<std::string> words = {"alerts"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return FromJson<v1::SubscribeResponse>(Json(words));
}

absl::StatusOr<AlertStream> Cli::Follow(const std::vector<std::string>& arguments) const {
  std::vector<std::string> words = {"alerts", "--follow", "--json"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  KVMSENTRY_ASSIGN_OR_RETURN(Process process, Process::Start(Command(words)));
  AlertStream stream(std::move(process));
  KVMSENTRY_ASSIGN_OR_RETURN(const auto first, stream.Read());
  if (!first.has_heartbeat()) return absl::InternalError("the first message is no heartbeat");
  return stream;
}

std::vector<v1::Alert> AlertsOf(absl::string_view vm, const std::vector<v1::Alert>& alerts) {
  std::vector<v1::Alert> of_vm;
  for (const v1::Alert& alert : alerts) {
    if (alert.vm().name() == vm) of_vm.push_back(alert);
  }
  return of_vm;
}

}  // namespace kvmsentry
