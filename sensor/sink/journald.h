// Alerts as structured entries of systemd's journal.
#pragma once

#include <string>
#include <vector>

#include "sensor/sink/sink.h"

namespace kvmsentry {

// Of every alert's entry: journalctl MESSAGE_ID=... finds them all.
inline constexpr char kAlertMessageId[] = "6b1f1c2e5d0e4f6d9a4f6f0a6c3b7d21";

// "NAME=value", as sd_journal_sendv takes them.
std::vector<std::string> JournaldFields(const StreamItem& item);

class JournaldSink final : public Sink {
 public:
  std::string name() const override { return "journald"; }
  // UNAVAILABLE where no journald listens.
  absl::Status Write(const StreamItem& item) override;
};

}  // namespace kvmsentry
