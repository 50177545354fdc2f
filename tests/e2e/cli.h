// kvmsentry, the client, as child processes of the test; what it prints as JSON is read back. What
// tests wait for they ask by its library instead: of a process, the start alone costs more than a
// hundred such calls.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "kvmsentry/v1/alerts.pb.h"
#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/base/status.h"
#include "sensor/cli/client.h"
#include "sensor/cli/words.h"
#include "tests/e2e/run.h"
#include "tests/support/process.h"

namespace kvmsentry {

// `kvmsentry alerts --follow --json`. Move-only.
class AlertStream {
 public:
  explicit AlertStream(Process process) : process_(std::move(process)) {}

  // The next message, kept in alerts() or gaps().
  absl::StatusOr<v1::SubscribeResponse> Read(absl::Duration limit = kPatience);
  // Reads on until the alert of the VM by the spec comes to STATE, unless it has been read already.
  absl::StatusOr<v1::Alert> WaitFor(absl::string_view vm, absl::string_view spec,
                                    v1::Alert::State state);
  // Reads on until all that was raised before TIME was sent.
  absl::Status ReadUpTo(absl::Time time);

  const std::vector<v1::Alert>& alerts() const { return alerts_; }
  const std::vector<v1::Gap>& gaps() const { return gaps_; }
  Process& process() { return process_; }

 private:
  Process process_;
  std::vector<v1::Alert> alerts_;
  std::vector<v1::Gap> gaps_;
};

class Cli {
 public:
  explicit Cli(std::string socket) : socket_(std::move(socket)) {}

  // Any command, run to its end.
  absl::StatusOr<Finished> Run(const std::vector<std::string>& arguments) const;

  // By the library.
  absl::StatusOr<v1::GetStatusResponse> Status() const;
  absl::StatusOr<std::vector<v1::VmStatus>> Vms(const std::string& glob) const;
  absl::StatusOr<std::vector<v1::SpecInfo>> Specs() const;

  // With --json. An exit code other than 0 is an error.
  // With what it was given.
  absl::StatusOr<v1::VmStatus> Given(const std::string& vm) const;
  // What is kept.
  absl::StatusOr<std::vector<v1::SubscribeResponse>> Alerts(
      const std::vector<std::string>& arguments = {}) const;
  // Its first heartbeat was read: the daemon knows it.
  absl::StatusOr<AlertStream> Follow(const std::vector<std::string>& arguments = {}) const;

 private:
  std::vector<std::string> Command(const std::vector<std::string>& arguments) const;
  absl::StatusOr<std::vector<std::string>> Json(std::vector<std::string> arguments) const;
  absl::StatusOr<std::unique_ptr<Client>> Connect() const;

  std::string socket_;
};

// Those of the VM by this name.
std::vector<v1::Alert> AlertsOf(absl::string_view vm, const std::vector<v1::Alert>& alerts);

}  // namespace kvmsentry
