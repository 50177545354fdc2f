#include "sensor/spec/reword.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/descriptor.h"

#include "kvmsentry/v1/spec.pb.h"
#include "sensor/base/escape.h"
#include "sensor/base/nearest.h"
#include "sensor/spec/enum_names.h"
#include "sensor/spec/report.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxNameBytes = 80;
constexpr size_t kMaxComplaintBytes = 200;

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;

const google::protobuf::FileDescriptor& Schema() { return *v1::SpecFile::descriptor()->file(); }

// The type of the field of that name that has names as values: it is the same in all messages.
const EnumDescriptor* EnumOf(const std::string& field) {
  for (int i = 0; i < Schema().message_type_count(); ++i) {
    const auto* found = Schema().message_type(i)->FindFieldByName(field);
    if (found != nullptr && found->enum_type() != nullptr) return found->enum_type();
  }
  return nullptr;
}

std::vector<std::string> FieldsOf(const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return names;
}

// Near enough that it is worth a question: half of it is right.
bool IsNear(absl::string_view written, absl::string_view meant) {
  return EditDistance(written.substr(0, 64), meant) * 2 <= std::min(written.size(), meant.size());
}

Reworded UnknownField(absl::string_view within, absl::string_view written, const Descriptor& type) {
  const std::string where = within.empty() ? "" : absl::StrCat(within, ": ");
  const std::vector<std::string> fields = FieldsOf(type);
  const std::string& nearest =
      NearestTo(written, fields, [](const std::string& field) { return field; });
  const std::string unknown = absl::StrCat(where, "no field ", Quoted(written), "; ");
  if (IsNear(written, nearest)) {
    return {absl::StrCat(unknown, "did you mean \"", nearest, "\"?"), nearest};
  }
  return {absl::StrCat(unknown, "one of ", absl::StrJoin(fields, ", "))};
}

}  // namespace

Reworded Reword(absl::string_view complaint, absl::string_view within) {
  // Names stand in quotes: each second piece.
  const std::vector<std::string> pieces = absl::StrSplit(complaint, '"');
  const auto says = [&](size_t piece, absl::string_view text) {
    return piece < pieces.size() && pieces[piece] == text;
  };
  if (says(0, "Message type ") && says(2, " has no field named ") && pieces.size() > 3) {
    const auto* type = Schema().pool()->FindMessageTypeByName(pieces[1]);
    if (type != nullptr) return UnknownField(within, pieces[3], *type);
  }
  if (says(0, "Unknown enumeration value of ") && says(2, " for field ") && pieces.size() > 3) {
    if (const EnumDescriptor* type = EnumOf(pieces[3])) {
      return {absl::StrCat(pieces[3], ": no value ", Escape(pieces[1], kMaxNameBytes), "; one of ",
                           absl::StrJoin(NamesOf(*type), ", "))};
    }
  }
  if (says(0, "Non-repeated field ") && pieces.size() > 1) {
    return {absl::StrCat(pieces[1], " is given more than once")};
  }
  return {Escape(complaint, kMaxComplaintBytes)};
}

}  // namespace kvmsentry
