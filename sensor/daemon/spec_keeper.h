// Which spec library is loaded: reads it again when it is asked to, or when a folder changes.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sensor/base/clock.h"
#include "sensor/base/status.h"
#include "sensor/daemon/folder_watch.h"
#include "sensor/daemon/settle.h"
#include "sensor/daemon/spec_loader.h"
#include "sensor/daemon/worker.h"
#include "sensor/rpc/spec_control.h"

namespace kvmsentry {

// A library is read and checked by a worker; the loop exchanges it at a tick, whole. One with an
// error is refused, and what was loaded stays. Apply and Reload are thread safe, all else is the
// loop's.
class SpecKeeper final : public SpecControl {
 public:
  // FIRST has no error and is in use. CLOCK outlives it.
  static absl::StatusOr<std::unique_ptr<SpecKeeper>> Make(SpecFolders folders,
                                                          const LoadedLibrary& first,
                                                          const Clock& clock);

  // Takes what was read, and starts what is due. Returns the library that is to be used from now
  // on; nullptr: the one before.
  std::shared_ptr<const SpecLibrary> OnTick(KernelTime now);
  // What OnTick returned is in use, and whoever asks for specs or status sees it.
  void TellDone();
  // SIGHUP: systemd hears of the reload's begin and end.
  void OnSignal(KernelTime now);
  // Answers whoever waits, and whoever comes, with UNAVAILABLE.
  void Close();

  const LibraryView& view() const { return view_; }
  const std::optional<Worker::Running>& running() const { return worker_->running(); }

  void Apply(SiteChange change, Done done) override;
  void Reload(Done done) override;

  static constexpr int64_t kArmEveryNs = 5 * kNsPerSecond;

 private:
  struct Request {
    std::optional<SiteChange> change;  // none: read the folders again
    Done done;
  };
  struct Read {
    absl::StatusOr<LoadedLibrary> library;
    absl::Status written;
    std::vector<int> watches;  // of the folders
  };

  SpecKeeper(SpecFolders folders, const LoadedLibrary& first, const Clock& clock, FolderWatch watch,
             std::unique_ptr<Worker> worker);
  void Ask(Request request);
  // The next change, or nothing where a reload goes first; RELOADS gets those who wait for one.
  std::optional<Request> NextRequest(std::vector<Done>& reloads);
  void StartNext(KernelTime now);
  void StartReload(std::vector<Done> waiting, const char* why);
  void StartApply(Request request);
  void StartArming();
  void Reloaded(Read read, const std::string& why);
  void Applied(Read read, const SiteChange& change);
  absl::StatusOr<LoadedSpecs> TryUse(const absl::StatusOr<LoadedLibrary>& read,
                                     absl::StatusCode refusal);
  void Refuse(const std::string& reason);
  // To be told by TellDone.
  void Answer(absl::StatusOr<LoadedSpecs> answer);

  const SpecFolders folders_;
  const Clock& clock_;
  FolderWatch watch_;
  LibraryView view_;
  Settle changed_{500 * kNsPerMs, 5 * kNsPerSecond};
  bool settled_ = false;    // folders changed, and are to be read
  bool signalled_ = false;  // SIGHUP asked for a reload that has not begun ...
  bool telling_ = false;    // ... or not ended
  KernelTime arm_at_;
  std::vector<Done> answering_;  // who waits for the job that runs
  std::vector<std::pair<Done, absl::StatusOr<LoadedSpecs>>> answers_;
  bool ended_ = false;  // the reload that systemd was told of
  std::shared_ptr<const SpecLibrary> to_use_;
  std::mutex mutex_;
  bool closed_ = false;             // guarded by mutex_, as what follows
  std::deque<Request> requests_;    // in their order
  std::unique_ptr<Worker> worker_;  // the last: its thread uses the above
};

}  // namespace kvmsentry
