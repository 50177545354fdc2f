// The silences that are active, kept over restarts.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/alert/silence.h"
#include "sensor/alert/silence_file.h"
#include "sensor/base/clock.h"
#include "sensor/base/status.h"

namespace kvmsentry {

inline constexpr size_t kMaxSilences = 256;
inline constexpr size_t kMaxSilenceComment = 512;  // bytes
inline constexpr size_t kMaxSilenceAuthor = 64;
inline constexpr size_t kMaxSilenceGlob = 256;
inline constexpr absl::Duration kLongestSilence = absl::Hours(24 * 30);

// Thread safe. Whoever asks what is silenced, the sensor's loop among them, waits for the copy of a
// pointer at most; Add and End write the file.
class SilenceBook {
 public:
  // In memory only.
  explicit SilenceBook(const Clock& clock) : clock_(clock) {}
  // In DIR/silences.textproto, DIR being made by others. A file that cannot be understood is moved
  // aside, as problem() says: too many alerts are better than none. Fails where it cannot be read.
  static absl::StatusOr<std::unique_ptr<SilenceBook>> Open(const std::string& dir,
                                                           const Clock& clock);

  // INVALID_ARGUMENT "FIELD: what is wrong", RESOURCE_EXHAUSTED where kMaxSilences are active; else
  // as the file. What fails silences nothing.
  absl::StatusOr<Silence> Add(SilenceMatch match, absl::Duration lasts, absl::string_view comment,
                              absl::string_view author);
  // NOT_FOUND where none that is active has the id. Where the file fails, it has ended all the
  // same.
  absl::StatusOr<Silence> End(uint64_t id);

  std::vector<Silence> Active() const;  // by their ids
  uint64_t SilencedBy(const AlertEvent& event) const;

  bool kept() const { return !path_.empty(); }
  const std::string& problem() const { return problem_; }

 private:
  using Silences = std::vector<Silence>;
  std::shared_ptr<const Silences> Get() const;
  Silences NotEnded() const;
  void Put(std::shared_ptr<const Silences> silences);
  absl::Status Keep(const Silences& silences);

  const Clock& clock_;
  std::string path_;     // empty: in memory
  std::string problem_;  // as of Open()
  std::mutex changing_;
  uint64_t last_id_ = 0;      // guarded by changing_
  mutable std::mutex mutex_;  // held for the copy of a pointer only
  std::shared_ptr<const Silences> silences_ = std::make_shared<const Silences>();
};

}  // namespace kvmsentry
