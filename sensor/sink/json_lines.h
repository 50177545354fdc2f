// Alerts as JSON, one a line: to a file that is rotated, or to standard output.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <sys/types.h>

#include "sensor/base/fd.h"
#include "sensor/sink/sink.h"

namespace kvmsentry {

// A line is what `kvmsentry alerts --json` prints. The file itself says what it has: after a kill,
// each alert is in it once. A torn last line is cut off.
class JsonFileSink final : public Sink {
 public:
  static constexpr uint64_t kRotateBytes = 10'000'000;
  static constexpr int kFiles = 5;  // PATH, PATH.1, ...: the last goes when one more is needed

  explicit JsonFileSink(std::string path, uint64_t rotate_bytes = kRotateBytes)
      : path_(std::move(path)), rotate_bytes_(rotate_bytes) {}

  std::string name() const override { return "json-lines"; }
  bool KnowsLastWritten() const override { return true; }
  std::optional<Position> LastWritten() override;
  absl::Status Write(const StreamItem& item) override;

 private:
  absl::Status Open();
  absl::Status Rotate();

  const std::string path_;
  const uint64_t rotate_bytes_;
  Fd file_;
  uint64_t size_ = 0;
  ino_t inode_ = 0;
};

class JsonStdoutSink final : public Sink {
 public:
  std::string name() const override { return "json-stdout"; }
  absl::Status Write(const StreamItem& item) override;

 private:
  std::string rest_;  // of the line that was written in part
};

}  // namespace kvmsentry
