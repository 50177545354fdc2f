#include "tests/unit/engine/trace.h"

#include <map>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "sensor/engine/text.h"
#include "sensor/source/catalogue.h"
#include "tests/unit/engine/test_specs.h"

namespace kvmsentry {
namespace {

Spec Make(Spec spec, Severity severity, int32_t weight, std::string norm_text) {
  spec.severity = severity;
  spec.weight = weight;
  spec.norm_text = std::move(norm_text);
  return spec;
}

std::shared_ptr<const SpecLibrary> TraceLibrary() {
  return std::make_shared<SpecLibrary>(SpecLibrary::FromSpecs({
      Make(MaxSpec("pio-storm", FeatureNamed("pio.rate"), 20'000, kNsPerSecond), Severity::kWarning,
           30, "at most 20,000/s over 1s"),
      Make(BurstSpec("pio-burst", FeatureNamed("pio.rate"), 5'000, 50 * kNsPerMs),
           Severity::kNotice, 10, "at most 5,000 in 50ms"),
      Make(MinSpec("vcpu-stuck", FeatureNamed("entry.rate"), 10, 2 * kNsPerSecond),
           Severity::kNotice, 5, "at least 10/s over 2s"),
      Make(DenySpec("msr-syscall", FeatureNamed("msr.written"), {{0xc0000081, 0xc0000083}},
                    10 * kNsPerSecond),
           Severity::kCritical, 40, "forbidden: MSRs 0xc0000081-0xc0000083"),
      Make(AllowSpec("exit-reasons", FeatureNamed("userspace_exit.reason"), {{2, 2}, {5, 6}},
                     kNsPerSecond),
           Severity::kInfo, 5, "allowed: exit reasons IO, 5-6"),
  }));
}

class Player {
 public:
  Player() : engine_(TraceLibrary(), EngineOptions()) {}

  std::string Play(const std::string& line) {
    out_.clear();
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "vm" || verb == "remove" || verb == "score") {
      OfVm(verb, words);
    } else if (verb == "at") {
      words >> now_ms_;
    } else if (verb == "tick") {
      Tick();
    } else if (verb == "flow") {
      Flow(words);
    } else if (verb == "count" || verb == "member" || verb == "crossed") {
      engine_.Observe(Read(verb, words));
    } else if (!verb.empty() && verb[0] != '#') {
      absl::StrAppend(&out_, "> what is \"", verb, "\"?\n");
    }
    return out_;
  }

 private:
  KernelTime Now() const { return {now_ms_ * kNsPerMs}; }

  static uint64_t Number(const std::string& text) { return std::stoull(text, nullptr, 0); }

  void OfVm(const std::string& verb, std::istringstream& words) {
    uint64_t serial = 0;
    words >> serial;
    if (verb == "vm") {
      VmFacts facts = Vm(serial, "");
      words >> facts.name >> facts.uuid;
      facts.given_name = facts.name;
      engine_.UpsertVm(facts, Now());
    } else if (verb == "remove") {
      engine_.RemoveVm({serial}, Now());
    } else if (const auto score = engine_.ScoreOf({serial})) {
      absl::StrAppend(&out_, "> ", PointsText(score->millipoints), " points, ", score->open_alerts,
                      " open\n");
    } else {
      absl::StrAppend(&out_, "> unknown\n");
    }
  }

  Observation Read(const std::string& verb, std::istringstream& words) {
    Observation o;
    o.time = Now();
    o.serial = ++serial_;
    std::string feature;
    std::string value;
    words >> o.vm.serial >> feature >> value;
    o.feature = FindFeature(feature)->id;
    o.value = Number(value);
    if (verb == "member") o.kind = ObservationKind::kMember;
    if (verb == "crossed") {
      o.kind = ObservationKind::kCrossed;
      words >> o.window_ns;
      o.window_ns *= kNsPerMs;
    }
    ReadExtras(words, o);
    return o;
  }

  static void ReadExtras(std::istringstream& words, Observation& o) {
    for (std::string word; words >> word;) {
      if (word == "lossy") o.lossy = true;
      if (absl::StartsWith(word, "detail=")) o.detail = Number(word.substr(7));
    }
  }

  void Flow(std::istringstream& words) {
    Observation o;
    std::string feature;
    uint64_t step = 0;
    int ticks = 0;
    words >> o.vm.serial >> feature >> step >> ticks;
    o.feature = FindFeature(feature)->id;
    ReadExtras(words, o);
    uint64_t& count = counts_[{o.vm.serial, feature}];
    for (int i = 0; i < ticks; ++i) {
      now_ms_ += 100;
      o.time = Now();
      o.serial = ++serial_;
      o.value = count += step;
      engine_.Observe(o);
      Tick();
    }
  }

  void Tick() {
    for (const AlertEvent& event : engine_.Tick(Now())) {
      absl::StrAppend(&out_, "> ", event.at.ns / kNsPerMs, "ms ", SeverityName(event.severity), " ",
                      Brief(event), " x", event.count, " ",
                      PointsText(event.contribution_millipoints), " of ",
                      PointsText(event.score_millipoints), " points\n>   ", event.summary, "\n");
      for (const auto& [name, value] : event.evidence) {
        absl::StrAppend(&out_, ">   ", name, ": ", value, "\n");
      }
      if (event.observation_lost) absl::StrAppend(&out_, ">   observation lost\n");
    }
  }

  Engine engine_;
  int64_t now_ms_ = 0;
  uint64_t serial_ = 0;
  std::map<std::pair<uint64_t, std::string>, uint64_t> counts_;
  std::string out_;
};

}  // namespace

std::string Replay(const std::string& text) {
  Player player;
  std::string replayed;
  for (const absl::string_view line : absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    if (absl::StartsWith(line, ">")) continue;
    absl::StrAppend(&replayed, line, "\n", player.Play(std::string(line)));
  }
  return replayed;
}

}  // namespace kvmsentry
