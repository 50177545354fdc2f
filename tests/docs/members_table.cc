#include "tests/docs/members_table.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

constexpr std::string_view kBegin = "<!-- members -->\n";
constexpr std::string_view kEnd = "<!-- end -->";

// A field of the spec language's Members, and the features whose norms take it.
struct Field {
  absl::string_view name;
  const MemberKind* kind;
  std::vector<std::string> features;
};

// In the order of the catalogue. Of a state the field is always the same.
std::vector<Field> Fields() {
  std::vector<Field> fields;
  for (const Feature& feature : Catalogue()) {
    const bool is_state = feature.kind == FeatureKind::kState;
    if (!is_state && feature.kind != FeatureKind::kSet) continue;
    const absl::string_view name = is_state ? "state" : feature.member->key;
    auto field = std::ranges::find(fields, name, &Field::name);
    if (field == fields.end()) {
      fields.push_back({.name = name, .kind = feature.member, .features = {}});
      field = fields.end() - 1;
    }
    field->features.push_back(absl::StrCat("`", feature.name, "`"));
  }
  return fields;
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

std::string Table() {
  std::string table =
      "| field | an entry is | for example | features |\n| --- | --- | --- | --- |\n";
  for (const Field& field : Fields()) {
    absl::StrAppend(&table, "| `", field.name, "` | ", FormOf(*field.kind), " | `",
                    field.kind->hint, "` | ", absl::StrJoin(field.features, ", "), " |\n");
  }
  return table;
}

}  // namespace

std::string WithMembersTable(std::string readme) {
  const size_t begin = readme.find(kBegin);
  if (begin == std::string::npos) return readme;
  const size_t first = begin + kBegin.size();
  const size_t end = readme.find(kEnd, first);
  if (end != std::string::npos) readme.replace(first, end - first, Table());
  return readme;
}

}  // namespace kvmsentry
