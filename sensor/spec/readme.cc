#include "sensor/spec/readme.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

using Row = std::vector<std::string>;

std::string Code(absl::string_view text) { return absl::StrCat("`", text, "`"); }

std::string Table(const Row& head, const std::vector<Row>& rows) {
  std::string text = absl::StrCat("| ", absl::StrJoin(head, " | "), " |\n|");
  for (size_t i = 0; i < head.size(); ++i) absl::StrAppend(&text, " --- |");
  text += '\n';
  for (const Row& row : rows) absl::StrAppend(&text, "| ", absl::StrJoin(row, " | "), " |\n");
  return text;
}

absl::string_view KindText(FeatureKind kind) {
  switch (kind) {
    case FeatureKind::kRate:
      return "rate";
    case FeatureKind::kLevel:
      return "level";
    case FeatureKind::kSet:
      return "set";
    case FeatureKind::kState:
      return "state";
  }
  return "";
}

std::string PointsOf(const Feature& feature) {
  std::vector<absl::string_view> points;
  for (int value = 1; value <= static_cast<int>(Point::kR5); ++value) {
    const auto point = static_cast<Point>(value);
    if (feature.points.Contains(point)) points.push_back(PointName(point));
  }
  return absl::StrJoin(points, ", ");
}

std::string SpecsOf(const Feature& feature, const SpecLibrary& library) {
  std::vector<std::string> specs;
  for (const Spec& spec : library.specs()) {
    if (spec.feature == feature.id) specs.push_back(Code(spec.id));
  }
  return absl::StrJoin(specs, ", ");
}

// Of a norm, in which members of FEATURE are named; empty where it has none.
absl::string_view FieldOf(const Feature& feature) {
  if (feature.kind == FeatureKind::kState) return "state";
  return feature.kind == FeatureKind::kSet ? feature.member->key : "";
}

std::string FeatureTable(const SpecLibrary& library) {
  std::vector<Row> rows;
  for (const Feature& feature : Catalogue()) {
    const bool of_part = feature.part != PartKind::kVm;
    const absl::string_view field = FieldOf(feature);
    rows.push_back({Code(feature.name), std::string(KindText(feature.kind)),
                    field.empty() ? "" : Code(field), std::string(feature.unit), PointsOf(feature),
                    absl::StrJoin(feature.hooks, ", "),
                    absl::StrCat(feature.noun, of_part ? ", of each " : "",
                                 of_part ? PartKindName(feature.part) : ""),
                    SpecsOf(feature, library)});
  }
  return Table(
      {"feature", "kind", "field", "unit", "points", "hooks", "counts or collects", "specs"}, rows);
}

std::string Names(const std::vector<std::string>& names) {
  return names.empty() ? "-" : absl::StrJoin(names, ", ");
}

std::string SpecTable(const SpecLibrary& library, const std::map<std::string, SpecProof>& proofs) {
  std::vector<const Spec*> specs;
  for (const Spec& spec : library.specs()) specs.push_back(&spec);
  std::ranges::stable_sort(specs, {}, &Spec::point);
  std::vector<Row> rows;
  for (const Spec* spec : specs) {
    rows.push_back({Code(spec->id), std::string(PointName(spec->point)),
                    Code(FeatureOf(spec->feature).name), spec->norm_text,
                    absl::StrCat(spec->weight), std::string(SeverityName(spec->severity)),
                    absl::StrJoin(spec->tags, ", "), absl::StrJoin(spec->mitre, ", "),
                    Names(proofs.at(spec->id).reported_in), Names(proofs.at(spec->id).silent_in)});
  }
  return Table({"spec", "point", "feature", "norm", "weight", "severity", "tags", "ATT&CK",
                "reported in", "silent in"},
               rows);
}

absl::string_view FormOf(const MemberKind& kind) {
  switch (kind.type) {
    case MemberType::kText:
      return "a glob";
    case MemberType::kAddress:
      return "an address or a prefix";
    case MemberType::kPair:
      return "a pair, `FIRST->SECOND`";
    case MemberType::kNumber:
      break;
  }
  return kind.names == nullptr ? "a number or a range" : "a number, a range or a name";
}

// In the order of the catalogue. Features may share a field.
std::string MembersTable() {
  std::vector<Row> rows;
  for (const Feature& feature : Catalogue()) {
    if (FieldOf(feature).empty()) continue;
    const std::string field = Code(FieldOf(feature));
    const auto row = std::ranges::find_if(rows, [&](const Row& r) { return r.front() == field; });
    if (row == rows.end()) {
      rows.push_back({field, std::string(FormOf(*feature.member)), Code(feature.member->hint),
                      Code(feature.name)});
    } else {
      absl::StrAppend(&row->back(), ", ", Code(feature.name));
    }
  }
  return Table({"field", "an entry is", "for example", "features"}, rows);
}

void Replace(absl::string_view name, const std::string& table, std::string& text) {
  const std::string begin = absl::StrCat("<!-- ", name, " -->\n");
  const size_t at = text.find(begin);
  if (at == std::string::npos) return;
  const size_t first = at + begin.size();
  const size_t end = text.find("<!-- end -->", first);
  if (end == std::string::npos) return;
  text.replace(first, end - first, table);
}

}  // namespace

std::string WithTables(absl::string_view readme, const SpecLibrary& library,
                       const std::map<std::string, SpecProof>& proofs) {
  std::string text(readme);
  Replace("features", FeatureTable(library), text);
  Replace("specs", SpecTable(library, proofs), text);
  Replace("members", MembersTable(), text);
  return text;
}

}  // namespace kvmsentry
