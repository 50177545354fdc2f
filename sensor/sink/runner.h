// Reads the journal for a sink and resumes by itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "sensor/alert/hub.h"
#include "sensor/sink/sink.h"

namespace kvmsentry {

// A thread of its own: a sink that hangs holds nobody up. What cannot be written is tried again
// each second, for as long as the journal keeps it; then the sink gets a gap. Thread safe.
class SinkRunner {
 public:
  // Where the sink does not know what it has, POSITION_FILE does, if there is one: it is written
  // after the sink, so that a killed daemon may repeat alerts, and loses none. HUB outlives it.
  SinkRunner(const Hub& hub, std::unique_ptr<Sink> sink, std::string position_file);
  ~SinkRunner();  // writes what is there still, unless the sink fails

  // Why nothing is written now, with the sink's name; empty: all is well.
  std::string problem() const;
  const std::string& name() const { return name_; }
  uint64_t written() const;  // alerts, by this run

 private:
  void Run(const std::stop_token& stop);
  bool WriteOne(const StreamItem& item, const std::stop_token& stop);
  std::optional<Position> Start();
  void Save(Position position);
  void SetProblem(const absl::Status& status);

  const Hub& hub_;
  const std::unique_ptr<Sink> sink_;
  const std::string name_;
  const std::string position_file_;
  mutable std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::string problem_;                                                 // guarded by mutex_
  std::optional<std::chrono::steady_clock::time_point> writing_since_;  // guarded by mutex_
  uint64_t written_ = 0;                                                // guarded by mutex_
  std::jthread thread_;  // the last: it uses all of the above
};

}  // namespace kvmsentry
