#include "tests/support/guest.h"

#include <csignal>
#include <utility>

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "tests/support/host.h"

namespace kvmsentry {
namespace {

using google::protobuf::Struct;

uint64_t Number(const Struct& object, const char* name) {
  return static_cast<uint64_t>(object.fields().at(name).number_value());
}

GuestVcpu ParseVcpu(const Struct& vcpu) {
  const Struct& exits = vcpu.fields().at("exits").struct_value();
  return {.vm = static_cast<uint32_t>(Number(vcpu, "vm")),
          .vcpu = static_cast<uint32_t>(Number(vcpu, "vcpu")),
          .operations = Number(vcpu, "operations"),
          .gp_faults = Number(vcpu, "gp_faults"),
          .io_exits = Number(exits, "IO"),
          .mmio_exits = Number(exits, "MMIO"),
          .hlt_exits = Number(exits, "HLT"),
          .interrupted = Number(exits, "INTR"),
          .ring_full_exits = Number(exits, "DIRTY_RING_FULL"),
          .dirty_pages = Number(vcpu, "dirty_pages"),
          .dirty_resets = Number(vcpu, "dirty_resets")};
}

absl::StatusOr<GuestReport> ParseReport(const std::string& line) {
  Struct json;
  if (!google::protobuf::util::JsonStringToMessage(line, &json).ok()) {
    return absl::InternalError(absl::StrCat("no report of a guest: ", line));
  }
  GuestReport report;
  for (const auto& vcpu : json.fields().at("vcpus").list_value().values()) {
    report.vcpus.push_back(ParseVcpu(vcpu.struct_value()));
  }
  report.operations = Number(json, "operations");
  report.seconds = json.fields().at("seconds").number_value();
  return report;
}

}  // namespace

absl::StatusOr<Guest> Guest::Start(absl::string_view options,
                                   const std::vector<std::string>& prefix) {
  std::vector<std::string> command = prefix;
  command.emplace_back(KVMSENTRY_TEST_GUEST);
  return StartProgram(std::move(command), absl::StrCat(options, " --wait --report"));
}

absl::StatusOr<Guest> Guest::StartVmm(absl::string_view options,
                                      const std::vector<std::string>& prefix) {
  std::vector<std::string> command = prefix;
  command.emplace_back(KVMSENTRY_TEST_VMM);
  return StartProgram(std::move(command), options);
}

absl::StatusOr<Guest> Guest::StartProgram(std::vector<std::string> command,
                                          absl::string_view options) {
  KVMSENTRY_RETURN_IF_ERROR(HasKvm());
  for (const absl::string_view word : absl::StrSplit(options, ' ', absl::SkipEmpty())) {
    command.emplace_back(word);
  }
  KVMSENTRY_ASSIGN_OR_RETURN(Process process, Process::Start(command));
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string line, process.ReadLine());
  absl::string_view text = line;
  int pid = 0;
  if (!absl::ConsumePrefix(&text, "ready pid=") ||
      !absl::SimpleAtoi(text.substr(0, text.find(' ')), &pid)) {
    return absl::InternalError(absl::StrCat("a guest is not ready: ", line));
  }
  return Guest(std::move(process), pid);
}

absl::Status Guest::Begin() { return process_.Write("\n"); }

absl::Status Guest::Stop() { return process_.Signal(SIGTERM); }

absl::StatusOr<GuestReport> Guest::Finish(absl::Duration limit) {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string line, process_.ReadLine(limit));
  KVMSENTRY_ASSIGN_OR_RETURN(const int status, process_.Wait(limit));
  if (status != 0) {
    return absl::InternalError(
        absl::StrCat("a guest ended with status ", status, ": ", process_.Errors()));
  }
  return ParseReport(line);
}

absl::StatusOr<FinishedGuest> RunGuest(absl::string_view options,
                                       const std::vector<std::string>& prefix) {
  KVMSENTRY_ASSIGN_OR_RETURN(Guest guest, Guest::Start(options, prefix));
  KVMSENTRY_RETURN_IF_ERROR(guest.Begin());
  KVMSENTRY_ASSIGN_OR_RETURN(GuestReport report, guest.Finish());
  return FinishedGuest{.pid = guest.pid(), .report = std::move(report)};
}

}  // namespace kvmsentry
