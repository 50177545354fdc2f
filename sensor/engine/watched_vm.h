// All that the engine knows of one VM.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sensor/engine/engine.h"
#include "sensor/engine/other_parts.h"
#include "sensor/engine/report.h"
#include "sensor/engine/score_band.h"
#include "sensor/engine/subject.h"
#include "sensor/engine/unchanged.h"

namespace kvmsentry {

// EngineOptions, made ready.
struct EngineTuning {
  int64_t half_life_ns = 0;
  int64_t update_every_ns = 0;
  size_t max_parts = 0;
  Bands bands;
};

// When a count was seen, and as of when it is taken.
struct CountedAt {
  KernelTime time;
  KernelTime at;
  bool lossy = false;
};

class WatchedVm {
 public:
  WatchedVm(Layouts& layouts, const VmFacts& facts);

  // Keeps what is known for specs that still select it. What others contributed to the score goes
  // with them. UNCHANGED is read first.
  void SetFacts(Layouts& layouts, const VmFacts& facts, const UnchangedLogs& unchanged);
  // The same with another library.
  void SetLibrary(Layouts& layouts, const UnchangedLogs& unchanged);
  void SetRemoved(std::optional<KernelTime> at) { removed_at_ = at; }
  std::optional<KernelTime> removed_at() const { return removed_at_; }
  void NamePart(Layouts& layouts, PartId part, std::string name, const UnchangedLogs& unchanged);
  // Its open alerts clear at the next Tell, and its state is dropped.
  void RemovePart(PartId part);

  // An observation of it, taken as of AT.
  void Take(Layouts& layouts, const Observation& observation, KernelTime at,
            const EngineTuning& tuning, const UnchangedLogs& unchanged);
  // Of its sample.
  void TakeCount(Layouts& layouts, const Count& count, const CountedAt& when,
                 const EngineTuning& tuning, const UnchangedLogs& unchanged);
  void TakeSighting(const Sighting& seen, KernelTime at) {
    active_ |= self_.TakeMember(seen.feature, seen.member, at);
  }
  void TakeGauge(Layouts& layouts, const Gauge& gauge, KernelTime at, bool lossy,
                 const EngineTuning& tuning);
  // Subject::TakeUnchanged of all its parts, whose entry UNCHANGED has.
  void TakeUnchanged(const UnchangedLogs& unchanged, SourceId source, KernelTime time,
                     KernelTime at, bool lossy);
  void CatchUp(const UnchangedLogs& unchanged, SourceId source);
  void JoinLog(const UnchangedLogs& unchanged, SourceId source);

  // Appends what happened since the last Tell, in any order of time. Of a VM that is removed it
  // reports all there is, ending at NOW.
  void Tell(KernelTime now, const EngineTuning& tuning, std::vector<AlertEvent>& events);

  const VmFacts& facts() const { return facts_; }
  Engine::VmScore score() const { return score_; }  // as of the last Tell

 private:
  struct Part {
    Subject subject;
    std::string name;
  };
  // Deviates by a spec that no longer applies: to be reported cleared.
  struct Leaving {
    Watch watch;
    std::string part;
    ClearedBy by;
  };

  // Whose watch it is.
  struct Of {
    const std::string& part;           // empty: of the VM itself
    const Subject* subject = nullptr;  // nullptr: it has left
  };
  static constexpr size_t kMostNames = 4096;

  void Relayout(Layouts& layouts, bool other_library, const UnchangedLogs& unchanged);
  Part& PartFor(Layouts& layouts, PartId id, const EngineTuning& tuning);
  // Of the VM itself, or of its part ID, seen AT.
  Subject& SubjectOf(Layouts& layouts, PartId id, KernelTime at, const EngineTuning& tuning);
  // Whether PART, seen AT, is beyond those that have a subject of their own.
  bool IsOther(PartId part, KernelTime at);
  void OpenStates(KernelTime now);
  void CountScore(KernelTime now, const EngineTuning& tuning);
  void TellSubject(Subject& subject, const std::string& part, const Step& step,
                   const EngineTuning& tuning, std::vector<AlertEvent>& events);
  void TellWatch(Watch& watch, const Of& of, Step step, const EngineTuning& tuning,
                 std::vector<AlertEvent>& events);
  void TellToEnd(Watch& watch, const Of& of, Step step, const EngineTuning& tuning,
                 std::vector<AlertEvent>& events);
  void TellBand(Step step, const EngineTuning& tuning, std::vector<AlertEvent>& events);
  void TellOtherParts(const Step& step, const EngineTuning& tuning,
                      std::vector<AlertEvent>& events);

  VmFacts facts_;
  Subject self_;
  std::map<PartId, Part> parts_;
  std::map<PartId, std::string> names_;  // of parts that were not observed yet
  size_t parts_told_apart_ = 0;
  OtherParts others_;
  std::vector<Leaving> leaving_;
  std::optional<KernelTime> removed_at_;
  ScoreBand band_;
  std::string band_key_;
  Engine::VmScore score_;
  std::vector<Contribution> contributions_;  // as of the last Tell
  bool lossy_ = false;                       // something was lost since the last Tell
  bool pending_ = false;                     // something deviates, but not yet for long enough
  bool observing_ = false;  // an alert that is only observed was open at the last Tell
  bool active_ = false;     // there is something open, to be told, or that decays
};

}  // namespace kvmsentry
