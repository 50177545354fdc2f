#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

#include "sensor/base/escape.h"
#include "sensor/base/time.h"
#include "sensor/source/catalogue.h"
#include "sensor/spec/check.h"
#include "sensor/spec/covers.h"
#include "sensor/spec/norm_text.h"
#include "sensor/spec/selector.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxTextCharacters = 200;
constexpr int64_t kMinWindowNs = 10 * kNsPerMs;
constexpr int64_t kMaxWindowNs = 3600 * kNsPerSecond;
constexpr int64_t kMaxLastingNs = 24 * kMaxWindowNs;
constexpr int64_t kDefaultWindowNs = kNsPerSecond;
// The ids of alerts that are raised without a spec: a VM's score, its parts, the sensor itself.
constexpr absl::string_view kReservedIds[] = {"score-band", "too-many-parts"};
constexpr absl::string_view kReservedPrefix = "self-";

size_t Characters(absl::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

class Checker {
 public:
  Checker(const v1::Spec& spec, const Places& places, const Report& report)
      : spec_(spec), places_(places), report_(report) {}

  Spec Check() {
    Spec checked;
    checked.id = Id();
    checked.point = PointOfSpec();
    const Feature* feature = FeatureOfSpec(checked.point);
    if (feature != nullptr) checked.feature = feature->id;
    checked.select = CheckSelector(spec_.select(), places_.Into("select"), feature, report_);
    for (int i = 0; i < spec_.except_size(); ++i) {
      const Selector except = Exception(i, feature);
      if (except != Selector{}) checked.except.push_back(except);
    }
    if (LeavesNothing(checked)) {
      report_(places_.Of("except"), "except takes away all that the spec selects");
    }
    checked.window_ns = WindowNs(feature);
    if (Present("norm", absl::StrCat(": ", kGiveANorm))) {
      checked.norm =
          CheckNorm(spec_.norm(), places_.Into("norm"), feature, checked.window_ns, report_);
    }
    checked.per_vcpu = spec_.norm().per() == v1::Norm::VCPU;
    checked.patience = {.for_ns = Lasting("for", spec_.for_()),
                        .hold_ns = Lasting("hold", spec_.hold())};
    if (checked.patience.for_ns > 0 && spec_.norm().has_burst()) {
      report_(places_.Of("for"), "for does not fit burst: a burst is over at once");
    }
    checked.weight = Weight();
    checked.severity = SeverityOfSpec();
    checked.why = Sentence("why", spec_.why(), ": say in one sentence why it matters");
    checked.look_at =
        Sentence("look_at", spec_.look_at(), ": say in one sentence where to look next");
    checked.tags = CheckTags(spec_, places_, report_);
    checked.mitre = CheckMitre(spec_, places_, report_);
    checked.observe_only = Mode() == v1::Spec::OBSERVE;
    if (feature != nullptr) {
      checked.norm_text = NormText(checked, *feature);
    }
    checked.selector_text = SelectorText(checked.select, checked.except);
    return checked;
  }

 private:
  // Reports an absent field, unless that is because it could not be read.
  bool Present(absl::string_view field, absl::string_view hint) {
    if (places_.Has(field)) return true;
    if (!places_.LeftOut({field}))
      report_(places_.self(), absl::StrCat(field, " is missing", hint));
    return false;
  }

  std::string Id() {
    if (!Present("id", ": name the spec, for example \"pio-storm\"")) return "";
    if (!AreJoinedWords(spec_.id(), kMaxIdLength)) {
      report_(places_.Of("id"), absl::StrCat("id ", Quoted(spec_.id()),
                                             " is ill-formed: write lower-case words and digits "
                                             "joined by '-', at most ",
                                             kMaxIdLength, " characters"));
      return "";
    }
    if (std::ranges::find(kReservedIds, spec_.id()) != std::end(kReservedIds)) {
      report_(places_.Of("id"), absl::StrCat("id ", Quoted(spec_.id()),
                                             " is reserved for alerts of the engine's own"));
    }
    if (absl::StartsWith(spec_.id(), kReservedPrefix)) {
      report_(places_.Of("id"), absl::StrCat("id ", Quoted(spec_.id()),
                                             " is reserved: alerts of the sensor itself begin "
                                             "with \"self-\""));
    }
    return spec_.id();
  }

  Point PointOfSpec() {
    if (!Present("point", ": give it one of K1 to K7, R1 to R5")) return Point::kNone;
    if (!v1::Point_IsValid(spec_.point()) || spec_.point() == v1::POINT_UNSPECIFIED) {
      report_(places_.Of("point"), "point is none of K1 to K7, R1 to R5");
      return Point::kNone;
    }
    return static_cast<Point>(spec_.point());
  }

  const Feature* FeatureOfSpec(Point point) {
    if (!Present("feature", ": name a feature of the catalogue, for example \"pio.rate\"")) {
      return nullptr;
    }
    const Feature* feature = FindFeature(spec_.feature());
    if (feature == nullptr) {
      report_(places_.Of("feature"),
              absl::StrCat("unknown feature ", Quoted(spec_.feature()), "; did you mean \"",
                           NearestFeature(spec_.feature()).name, "\"?"));
    } else if (point != Point::kNone && !feature->points.Contains(point)) {
      report_(places_.Of("feature"),
              absl::StrCat("feature \"", feature->name, "\" does not belong to point ",
                           PointName(point), "; it belongs to ", PointsText(*feature)));
    }
    return feature;
  }

  static std::string PointsText(const Feature& feature) {
    std::vector<absl::string_view> names;
    for (int value = v1::Point_MIN; value <= v1::Point_MAX; ++value) {
      const auto point = static_cast<Point>(value);
      if (v1::Point_IsValid(value) && feature.points.Contains(point)) {
        names.push_back(PointName(point));
      }
    }
    return absl::StrJoin(names, ", ");
  }

  Selector Exception(int index, const Feature* feature) {
    const Places places = places_.Into("except", index);
    const v1::Selector& except = spec_.except(index);
    if (except.ByteSizeLong() == 0) report_(places.self(), "except names nothing");
    return CheckSelector(except, places, feature, report_);
  }

  // Of the window, or of another length of time; 0 where it is absent or was reported.
  int64_t Length(absl::string_view field, const v1::Window& length, int64_t most,
                 absl::string_view most_text) {
    if (!places_.Has(field) || places_.LeftOut({field, "seconds", "milliseconds"})) return 0;
    if (length.seconds() < 0 || length.milliseconds() < 0) {
      report_(places_.Of(field),
              absl::StrCat(field, " is negative; it must be from 10ms to ", most_text));
      return 0;
    }
    const int64_t ns = length.seconds() * kNsPerSecond + length.milliseconds() * kNsPerMs;
    if (ns >= kMinWindowNs && ns <= most) return ns;
    report_(places_.Of(field),
            absl::StrCat(field, " is ", absl::FormatDuration(absl::Nanoseconds(ns)),
                         "; it must be from 10ms to ", most_text));
    return 0;
  }

  int64_t Lasting(absl::string_view field, const v1::Window& length) {
    return Length(field, length, kMaxLastingNs, "24h");
  }

  int64_t WindowNs(const Feature* feature) {
    const bool at_once = feature != nullptr && (feature->kind == FeatureKind::kLevel ||
                                                feature->kind == FeatureKind::kState);
    if (at_once && places_.Has("window")) {
      report_(places_.Of("window"),
              absl::StrCat("window does not fit feature \"", feature->name,
                           "\", which has a value at each moment: write for"));
    }
    const int64_t ns = Length("window", spec_.window(), kMaxWindowNs, "1h");
    return ns > 0 ? ns : kDefaultWindowNs;
  }

  int32_t Weight() {
    if (!Present("weight", ": say how many points a deviation adds to the VM's score, 1 to 100")) {
      return 0;
    }
    if (spec_.weight() < 1 || spec_.weight() > 100) {
      report_(places_.Of("weight"),
              absl::StrCat("weight is ", spec_.weight(), "; it must be from 1 to 100"));
    }
    return spec_.weight();
  }

  Severity SeverityOfSpec() {
    if (!Present("severity", ": give it INFO, NOTICE, WARNING or CRITICAL")) return Severity::kNone;
    if (!v1::Severity_IsValid(spec_.severity()) || spec_.severity() == v1::SEVERITY_UNSPECIFIED) {
      report_(places_.Of("severity"), "severity is none of INFO, NOTICE, WARNING, CRITICAL");
      return Severity::kNone;
    }
    return static_cast<Severity>(spec_.severity());
  }

  v1::Spec::Mode Mode() {
    if (v1::Spec::Mode_IsValid(spec_.mode())) return spec_.mode();
    report_(places_.Of("mode"), "mode is none of ALERT, OBSERVE");
    return v1::Spec::ALERT;
  }

  std::string Sentence(absl::string_view field, const std::string& text, absl::string_view hint) {
    if (!Present(field, hint)) return "";
    const TextPosition at = places_.Of(field);
    if (absl::StripAsciiWhitespace(text).empty()) {
      report_(at, absl::StrCat(field, " is empty", hint));
    } else if (!IsPlain(text)) {
      report_(at, absl::StrCat(field, " holds a control or formatting character, or is no UTF-8"));
    } else if (Characters(text) > kMaxTextCharacters) {
      report_(at, absl::StrCat(field, " is ", Characters(text), " characters long; at most ",
                               kMaxTextCharacters));
    }
    return text;
  }

  const v1::Spec& spec_;
  const Places& places_;
  const Report& report_;
};

}  // namespace

Spec CheckSpec(const v1::Spec& spec, const Places& places, const Report& report) {
  return Checker(spec, places, report).Check();
}

}  // namespace kvmsentry
