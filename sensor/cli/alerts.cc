// kvmsentry alerts: the stream, kept whole over a restart of the daemon.
#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include <unistd.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format_alert.h"
#include "sensor/cli/hints.h"
#include "sensor/cli/interrupt.h"
#include "sensor/cli/open_alerts.h"
#include "sensor/cli/output.h"
#include "sensor/cli/resume_point.h"
#include "sensor/cli/words.h"
#include "sensor/rpc/json.h"

namespace kvmsentry {
namespace {

constexpr std::chrono::seconds kTryAgainAfter(1);

class AlertsRun {
 public:
  AlertsRun(const CommonOptions& common, const AlertsCommand& command)
      : common_(common),
        command_(command),
        json_(command.json),
        follow_(command.request.follow()),
        point_(command.request),
        look_(LookFor(common, command.wide)),
        output_(STDOUT_FILENO) {}

  // Reads one stream to its end.
  absl::Status ReadStream() {
    KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(common_.target));
    if (std::exchange(lost_, false)) Say("reached kvmsentryd again; continuing");
    // They take a connection's calls, not its stream's.
    if (follow_ && !std::exchange(hinted_, true)) Hint(*client);
    SetClient(client.get());
    point_.StreamBegins();
    absl::Status ended =
        client->Subscribe(point_.request(), [this](const v1::SubscribeResponse& message) {
          connected_once_ = true;
          point_.Passed(message);
          return Show(message);
        });
    SetClient(nullptr);
    return ended;
  }

  int Follow() {
    Interrupt interrupt(STDOUT_FILENO, [this] { Cancel(); });
    for (;;) {
      const absl::Status ended = ReadStream();
      if (interrupt.happened() || !written_) return output_.Finish();
      const bool try_again = ended.ok() || absl::IsUnavailable(ended);
      if (!try_again || !connected_once_) return Fail(ended);
      if (!std::exchange(lost_, true)) {
        Say(absl::StrCat("lost the stream: ", ended.ok() ? "it ended" : ended.message(),
                         "; trying again until interrupted"));
      }
      if (interrupt.WaitFor(kTryAgainAfter)) return output_.Finish();
    }
  }

  // What is open, or the newest, in the order of time.
  int List() {
    const auto client = Client::Connect(common_.target);
    if (!client.ok()) return Fail(client.status());
    const absl::StatusOr<std::vector<v1::Alert>> alerts =
        command_.open ? ListAllOpen(**client, command_.request.filter()) : ListNewest(**client);
    if (!alerts.ok()) return Fail(alerts.status());
    columns_ = ColumnsFor(*alerts, look_);
    for (const v1::Alert& alert : *alerts) {
      v1::SubscribeResponse message;
      *message.mutable_alert() = alert;
      if (!Show(message)) break;
    }
    if (alerts->empty()) {
      Conclude(command_.open ? "no open alerts" : "no alerts match");
      Hint(**client);
    } else if (command_.open && !json_) {
      output_.Write(ToText(CountOpen(*alerts)) + "\n");
    }
    return output_.Finish();
  }

  int Once() {
    const absl::Status ended = ReadStream();
    if (!ended.ok() && written_) return Fail(ended);
    if (ended.ok() && shown_ == 0) {
      Conclude("no alerts match");
      const auto client = Client::Connect(common_.target);
      if (client.ok()) Hint(**client);
    }
    return output_.Finish();
  }

 private:
  absl::StatusOr<std::vector<v1::Alert>> ListNewest(Client& client) const {
    std::vector<v1::Alert> alerts;
    v1::ListAlertsRequest request;
    *request.mutable_filter() = command_.request.filter();
    do {
      constexpr uint64_t kPage = 1000;
      request.set_page_size(static_cast<int32_t>(std::min(command_.last - alerts.size(), kPage)));
      KVMSENTRY_ASSIGN_OR_RETURN(const auto page, client.List(request));
      alerts.insert(alerts.end(), page.alerts().begin(), page.alerts().end());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty() && alerts.size() < command_.last);
    std::ranges::reverse(alerts);
    return alerts;
  }

  // Programs read standard output: what is said to people is not for them.
  void Conclude(const std::string& text) {
    if (json_) {
      Say(text);
    } else {
      output_.Write(text + "\n");
    }
  }

  void Hint(Client& client) const {
    for (const std::string& hint : HintsOn(command_.request.filter(), client)) Say(hint);
  }

  bool Show(const v1::SubscribeResponse& message) {
    // Without --follow, a heartbeat only says what the end of the output says too.
    const bool heartbeat = message.has_heartbeat();
    if (!heartbeat) ++shown_;
    if (json_) {
      if (!heartbeat || follow_) written_ = output_.Write(JsonLine(message));
    } else if (message.has_alert()) {
      look_.now = absl::Now();  // which a day's end may pass
      written_ = output_.Write(command_.verbose ? FormatAlertInFull(message.alert(), look_)
                                                : FormatAlert(message.alert(), columns_, look_));
    } else if (message.has_gap()) {
      written_ = output_.Write(FormatGap(message.gap(), look_.style));
    }
    return written_;
  }

  // An interrupt may come while there is no client, or before its stream.
  void SetClient(Client* client) {
    const std::lock_guard lock(mutex_);
    client_ = client;
    if (client_ != nullptr && cancelled_) client_->Cancel();
  }

  void Cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (client_ != nullptr) client_->Cancel();
  }

  const CommonOptions& common_;
  const AlertsCommand& command_;
  const bool json_;
  const bool follow_;
  ResumePoint point_;
  Look look_;
  AlertColumns columns_;
  Output output_;
  uint64_t shown_ = 0;  // messages but heartbeats
  bool hinted_ = false;
  bool written_ = true;
  bool connected_once_ = false;
  bool lost_ = false;
  std::mutex mutex_;
  Client* client_ = nullptr;  // guarded by mutex_
  bool cancelled_ = false;    // guarded by mutex_
};

}  // namespace

int Run(const CommonOptions& common, const AlertsCommand& command) {
  AlertsRun run(common, command);
  if (command.open || command.last != 0) return run.List();
  return command.request.follow() ? run.Follow() : run.Once();
}

}  // namespace kvmsentry
