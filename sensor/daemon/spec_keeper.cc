#include "sensor/daemon/spec_keeper.h"

#include <utility>

#include "spdlog/spdlog.h"

#include "sensor/daemon/service_manager.h"
#include "sensor/daemon/site_folder.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxWaiting = 16;  // each may be a mebibyte
constexpr size_t kLinesLogged = 20;
constexpr char kEnding[] = "kvmsentryd is ending";
constexpr char kChanged[] = "a folder changed";
constexpr char kSignalled[] = "SIGHUP";
constexpr char kAsked[] = "SpecAdmin.Reload";

void LogProblems(const std::vector<Problem>& problems) {
  size_t logged = 0;
  for (const bool warnings : {false, true}) {
    for (const std::string& text : TextsOf(problems, warnings)) {
      if (logged++ < kLinesLogged) {
        spdlog::log(warnings ? spdlog::level::warn : spdlog::level::err, "{}", text);
      }
    }
  }
  if (logged > kLinesLogged) spdlog::error("and {} more", logged - kLinesLogged);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SpecKeeper>> SpecKeeper::Make(SpecFolders folders,
                                                             const LoadedLibrary& first,
                                                             const Clock& clock) {
  std::vector<std::string> watched = {folders.shipped};
  if (!folders.site.empty()) watched.push_back(folders.site);
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Worker> worker, Worker::Make(clock));
  return std::unique_ptr<SpecKeeper>(new SpecKeeper(
      std::move(folders), first, clock, FolderWatch(std::move(watched)), std::move(worker)));
}

SpecKeeper::SpecKeeper(SpecFolders folders, const LoadedLibrary& first, const Clock& clock,
                       FolderWatch watch, std::unique_ptr<Worker> worker)
    : folders_(std::move(folders)),
      clock_(clock),
      watch_(std::move(watch)),
      view_(ViewOf(first, clock.WallNow())),
      worker_(std::move(worker)) {}

void SpecKeeper::Apply(SiteChange change, Done done) {
  Ask({.change = std::move(change), .done = std::move(done)});
}

void SpecKeeper::Reload(Done done) { Ask({.change = std::nullopt, .done = std::move(done)}); }

void SpecKeeper::Ask(Request request) {
  absl::Status refused;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      refused = absl::UnavailableError(kEnding);
    } else if (requests_.size() >= kMaxWaiting) {
      refused = absl::ResourceExhaustedError(
          absl::StrCat(kMaxWaiting, " changes of the specs wait already; try again"));
    } else {
      requests_.push_back(std::move(request));
      return;
    }
  }
  request.done(refused);
}

std::optional<SpecKeeper::Request> SpecKeeper::NextRequest(std::vector<Done>& reloads) {
  const std::lock_guard lock(mutex_);
  // One reading answers all that ask for it in a row.
  while (!requests_.empty() && !requests_.front().change) {
    reloads.push_back(std::move(requests_.front().done));
    requests_.pop_front();
  }
  if (!reloads.empty() || requests_.empty()) return std::nullopt;
  Request next = std::move(requests_.front());
  requests_.pop_front();
  return next;
}

void SpecKeeper::OnSignal(KernelTime now) {
  if (!std::exchange(telling_, true)) TellReloading(now);
  signalled_ = true;
}

std::shared_ptr<const SpecLibrary> SpecKeeper::OnTick(KernelTime now) {
  worker_->Finish();
  if (watch_.TakeChanged()) changed_.Note(now);
  settled_ |= changed_.Take(now);
  if (!worker_->running()) StartNext(now);
  return std::exchange(to_use_, nullptr);
}

void SpecKeeper::StartNext(KernelTime now) {
  std::vector<Done> reloads;
  std::optional<Request> request = NextRequest(reloads);
  if (request) {
    StartApply(std::move(*request));
  } else if (!reloads.empty() || signalled_ || settled_) {
    StartReload(std::move(reloads), signalled_ ? kSignalled : !settled_ ? kAsked : kChanged);
  } else if (watch_.lost() || now >= arm_at_) {
    arm_at_ = now + kArmEveryNs;
    StartArming();
  }
}

// A folder that was not there, that another one took the place of, or that cannot be watched, is
// read.
void SpecKeeper::StartArming() {
  worker_->Start(
      "watching the spec folders", [this] { return watch_.Arm(); },
      [this](std::vector<int> watches) {
        if (watch_.Armed(std::move(watches)) || watch_.blind()) changed_.Note(clock_.Now());
      });
}

void SpecKeeper::StartReload(std::vector<Done> waiting, const char* why) {
  answering_ = std::move(waiting);
  signalled_ = settled_ = false;
  worker_->Start(
      "reading the spec library",
      [this] {
        // First, so that no change after the reading goes unnoticed.
        std::vector<int> watches = watch_.Arm();
        absl::Status written = FinishSiteWrite(folders_.site);
        return Read{LoadLibrary(folders_), std::move(written), std::move(watches)};
      },
      [this, reason = std::string(why)](Read read) { Reloaded(std::move(read), reason); });
}

void SpecKeeper::Reloaded(Read read, const std::string& why) {
  (void)watch_.Armed(std::move(read.watches));  // what is there now was just read
  if (!read.written.ok()) {
    spdlog::error("{}: a change of it cannot be completed: {}", folders_.site,
                  std::string(read.written.message()));
  }
  const std::string before = view_.sha256;
  const auto answer = TryUse(read.library, absl::StatusCode::kFailedPrecondition);
  if (!answer.ok()) {
    spdlog::error("{}: the spec library was refused, what was loaded stays{}", why,
                  read.library.ok() ? "" : absl::StrCat(": ", answer.status().message()));
    if (read.library.ok()) LogProblems(read.library->problems);
  } else if (before != view_.sha256 || why != kChanged) {
    spdlog::info("{}: the spec library is {}", why,
                 before == view_.sha256 ? "as it was" : "loaded");
    LogProblems(read.library->problems);
  }
  Answer(answer);
  ended_ = telling_ && !signalled_;
}

void SpecKeeper::StartApply(Request request) {
  answering_.push_back(std::move(request.done));
  auto change = std::make_shared<const SiteChange>(*std::move(request.change));
  if (!change->if_sha256.empty() && change->if_sha256 != view_.sha256) {
    Answer(absl::AbortedError(
        absl::StrCat("another library is loaded: ", view_.sha256, "; look at it and try again")));
    return;
  }
  worker_->Start(
      "checking a change of the specs",
      [this, change] {
        Read read{LoadLibrary(folders_, change->files), absl::OkStatus(), {}};
        const bool sound = read.library.ok() && read.library->library != nullptr;
        if (sound && !change->validate_only) {
          read.written = WriteSiteFolder(folders_.site, change->files);
        }
        return read;
      },
      [this, change](Read read) { Applied(std::move(read), *change); });
}

void SpecKeeper::Applied(Read read, const SiteChange& change) {
  if (!read.library.ok()) return Answer(read.library.status());
  if (read.library->library == nullptr) {
    return Answer(absl::InvalidArgumentError(ErrorsInShort(read.library->problems)));
  }
  if (!read.written.ok()) return Answer(read.written);
  if (change.validate_only) {
    return Answer(LoadedSpecs{.library = ViewOf(*read.library, clock_.WallNow()),
                              .warnings = TextsOf(read.library->problems, /*warnings=*/true)});
  }
  const auto answer = TryUse(read.library, absl::StatusCode::kInvalidArgument);
  spdlog::info("SpecAdmin.Apply: {} was written and is loaded", folders_.site);
  LogProblems(read.library->problems);
  Answer(answer);
}

absl::StatusOr<LoadedSpecs> SpecKeeper::TryUse(const absl::StatusOr<LoadedLibrary>& read,
                                               absl::StatusCode refusal) {
  if (!read.ok()) {
    Refuse(std::string(read.status().message()));
    return read.status();
  }
  if (read->library == nullptr) {
    const std::string errors = ErrorsInShort(read->problems);
    Refuse(errors);
    return absl::Status(refusal, errors);
  }
  if (read->sha256 != view_.sha256) to_use_ = read->library;
  view_ = ViewOf(*read, clock_.WallNow());
  return LoadedSpecs{.library = view_, .warnings = TextsOf(read->problems, /*warnings=*/true)};
}

void SpecKeeper::Refuse(const std::string& reason) {
  view_.refused = reason;
  view_.refused_at = clock_.WallNow();
}

void SpecKeeper::Answer(absl::StatusOr<LoadedSpecs> answer) {
  for (Done& done : std::exchange(answering_, {})) answers_.emplace_back(std::move(done), answer);
}

void SpecKeeper::TellDone() {
  for (const auto& [done, answer] : std::exchange(answers_, {})) done(answer);
  if (!std::exchange(ended_, false)) return;
  telling_ = false;
  TellReady();
}

void SpecKeeper::Close() {
  std::deque<Request> waiting;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    waiting.swap(requests_);
  }
  Answer(absl::UnavailableError(kEnding));
  TellDone();
  for (const Request& request : waiting) request.done(absl::UnavailableError(kEnding));
}

}  // namespace kvmsentry
