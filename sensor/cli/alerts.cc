// kvmsentry alerts: the stream, kept whole over a restart of the daemon.
#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include <unistd.h>

#include "absl/time/time.h"

#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/interrupt.h"
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
        json_(command.json),
        follow_(command.request.follow()),
        point_(command.request),
        style_(StyleFor(common.color)),
        output_(STDOUT_FILENO) {}

  // Reads one stream to its end.
  absl::Status ReadStream() {
    KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(common_.target));
    if (std::exchange(lost_, false)) Say("reached kvmsentryd again; continuing");
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
  int List(const AlertsCommand& command) {
    const absl::StatusOr<std::vector<v1::Alert>> alerts = Ask(command);
    if (!alerts.ok()) return Fail(alerts.status());
    for (const v1::Alert& alert : *alerts) {
      v1::SubscribeResponse message;
      *message.mutable_alert() = alert;
      if (!Show(message)) break;
    }
    if (alerts->empty() && !json_) {
      Say(command.open ? "no alerts are open" : "no alerts match");
    }
    return output_.Finish();
  }

  int Once() {
    const absl::Status ended = ReadStream();
    if (!ended.ok() && written_) return Fail(ended);
    return output_.Finish();
  }

 private:
  absl::StatusOr<std::vector<v1::Alert>> Ask(const AlertsCommand& command) {
    KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(common_.target));
    std::vector<v1::Alert> alerts;
    if (command.open) {
      v1::ListOpenAlertsRequest request;
      *request.mutable_filter() = command.request.filter();
      do {
        KVMSENTRY_ASSIGN_OR_RETURN(const auto page, client->ListOpen(request));
        alerts.insert(alerts.end(), page.alerts().begin(), page.alerts().end());
        request.set_page_token(page.next_page_token());
      } while (!request.page_token().empty());
      std::ranges::stable_sort(alerts, {},
                               [](const v1::Alert& alert) { return ToTime(alert.opened_at()); });
      return alerts;
    }
    v1::ListAlertsRequest request;
    *request.mutable_filter() = command.request.filter();
    do {
      constexpr uint64_t kPage = 1000;
      request.set_page_size(static_cast<int32_t>(std::min(command.last - alerts.size(), kPage)));
      KVMSENTRY_ASSIGN_OR_RETURN(const auto page, client->List(request));
      alerts.insert(alerts.end(), page.alerts().begin(), page.alerts().end());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty() && alerts.size() < command.last);
    std::ranges::reverse(alerts);
    return alerts;
  }

  bool Show(const v1::SubscribeResponse& message) {
    // Without --follow, a heartbeat only says what the end of the output says too.
    const bool heartbeat = message.has_heartbeat();
    if (json_) {
      if (!heartbeat || follow_) written_ = output_.Write(JsonLine(message));
    } else if (message.has_alert()) {
      written_ = output_.Write(FormatAlert(message.alert(), style_, absl::LocalTimeZone()));
    } else if (message.has_gap()) {
      written_ = output_.Write(FormatGap(message.gap(), style_));
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
  const bool json_;
  const bool follow_;
  ResumePoint point_;
  const Style style_;
  Output output_;
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
  if (command.open || command.last != 0) return run.List(command);
  return command.request.follow() ? run.Follow() : run.Once();
}

}  // namespace kvmsentry
