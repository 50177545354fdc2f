#include "sensor/spec/places.h"

#include <string>

namespace kvmsentry {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

const FieldDescriptor* FieldOf(const google::protobuf::Descriptor* type, absl::string_view name) {
  return type->FindFieldByName(std::string(name));
}

}  // namespace

Places::Places(const ParsedBlock& block)
    : Places(block, block.tree.get(), v1::SpecFile::descriptor(), block.ToFile(0, 0)) {}

TextPosition Places::Recorded(const FieldDescriptor* field, int index) const {
  if (tree_ == nullptr) return {};
  const TextFormat::ParseLocation at = tree_->GetLocation(field, index);
  return at.line < 0 ? TextPosition{} : block_.ToFile(at.line, at.column);
}

bool Places::Has(absl::string_view field) const {
  const FieldDescriptor* descriptor = FieldOf(type_, field);
  return Recorded(descriptor, descriptor->is_repeated() ? 0 : -1).line > 0;
}

TextPosition Places::Of(absl::string_view field) const {
  const FieldDescriptor* descriptor = FieldOf(type_, field);
  const TextPosition at = Recorded(descriptor, descriptor->is_repeated() ? 0 : -1);
  return at.line > 0 ? at : self_;
}

// The tree has one place for a whole list, so the values are found among the tokens.
std::vector<TextPosition> Places::ValuesOf(absl::string_view field) const {
  const FieldDescriptor* descriptor = FieldOf(type_, field);
  const auto tokens = block_.tokens;
  std::vector<TextPosition> values;
  for (int i = 0;; ++i) {
    const TextPosition name = Recorded(descriptor, i);
    if (name.line == 0) return values;
    size_t t = TokenAt(tokens, name) + 1;
    if (t < tokens.size() && tokens[t].text == ":") ++t;
    if (t >= tokens.size()) return values;
    if (tokens[t].text != "[") {
      values.push_back(tokens[t].at);
      continue;
    }
    const size_t end = ClosingToken(tokens, t);
    for (bool expected = true; ++t < end;) {
      if (expected) values.push_back(tokens[t].at);
      expected = tokens[t].text == ",";
    }
  }
}

Places Places::Into(absl::string_view field, int index) const {
  const FieldDescriptor* descriptor = FieldOf(type_, field);
  const bool present = Recorded(descriptor, index).line > 0 || (tree_ != nullptr && index > 0);
  const auto* nested = present ? tree_->GetTreeForNested(descriptor, index) : nullptr;
  const TextPosition at = Recorded(descriptor, index);
  return {block_, nested, descriptor->message_type(), at.line > 0 ? at : self_};
}

bool Places::LeftOut(std::initializer_list<absl::string_view> fields) const {
  for (const absl::string_view field : fields) {
    if (block_.left_out.contains(field)) return true;
  }
  return false;
}

}  // namespace kvmsentry
