#include "sensor/spec/places.h"

#include <algorithm>
#include <string>

namespace kvmsentry {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

constexpr absl::string_view kExceptName = "except";

// Nullptr: an override has no such field.
const FieldDescriptor* FieldOf(const google::protobuf::Descriptor* type, absl::string_view name) {
  return type->FindFieldByName(std::string(name));
}

}  // namespace

Places::Places(const ParsedBlock& block)
    : Places(block, block.tree.get(), v1::SpecFile::descriptor(), block.ToFile(0, 0)) {}

Places::Places(const Places& base, int base_excepts, const std::vector<OverridePlaces>& overrides)
    : Places(base) {
  overrides_ = &overrides;
  base_excepts_ = base_excepts;
  self_ = overrides.front().places.Of("spec");
  pinned_ = true;
}

const Places* Places::OverrideOf(absl::string_view field) const {
  if (overrides_ == nullptr) return nullptr;
  for (const OverridePlaces& of : *overrides_) {
    if (FieldOf(of.places.type_, field) != nullptr && of.places.Has(field)) return &of.places;
  }
  return nullptr;
}

// INDEX, of the spec's, becomes that of the override's own.
const Places* Places::OverrideOfExcept(int& index) const {
  if (overrides_ == nullptr || index < base_excepts_) return nullptr;
  index -= base_excepts_;
  for (const OverridePlaces& of : *overrides_) {
    if (index < of.excepts) return &of.places;
    index -= of.excepts;
  }
  return nullptr;
}

TextPosition Places::Recorded(const FieldDescriptor* field, int index) const {
  if (tree_ == nullptr) return {};
  const TextFormat::ParseLocation at = tree_->GetLocation(field, index);
  if (at.line < 0) return {};
  return pinned_ ? self_ : block_->ToFile(at.line, at.column);
}

bool Places::Has(absl::string_view field) const {
  if (OverrideOf(field) != nullptr) return true;
  const FieldDescriptor* descriptor = FieldOf(type_, field);
  return Recorded(descriptor, descriptor->is_repeated() ? 0 : -1).line > 0;
}

TextPosition Places::Of(absl::string_view field) const {
  if (const Places* override_places = OverrideOf(field)) return override_places->Of(field);
  const FieldDescriptor* descriptor = FieldOf(type_, field);
  const TextPosition at = Recorded(descriptor, descriptor->is_repeated() ? 0 : -1);
  return at.line > 0 ? at : self_;
}

// The tree has one place for a whole list, so the values are found among the tokens.
std::vector<TextPosition> Places::ValuesOf(absl::string_view field) const {
  if (const Places* override_places = OverrideOf(field)) return override_places->ValuesOf(field);
  if (pinned_) return {};  // then Of(field) is the place of each
  const FieldDescriptor* descriptor = FieldOf(type_, field);
  const auto& tokens = block_->tokens;
  std::vector<TextPosition> values;
  const auto add = [&](size_t token) {
    values.push_back(tokens[token].at);
    values.back().file = block_->file;
  };
  for (int i = 0;; ++i) {
    const TextPosition name = Recorded(descriptor, i);
    if (name.line == 0) return values;
    size_t t = TokenAt(tokens, name) + 1;
    if (t < tokens.size() && tokens[t].text == ":") ++t;
    if (t >= tokens.size()) return values;
    if (tokens[t].text != "[") {
      add(t);
      continue;
    }
    const size_t end = ClosingToken(tokens, t);
    for (bool expected = true; ++t < end;) {
      if (expected) add(t);
      expected = tokens[t].text == ",";
    }
  }
}

Places Places::Into(absl::string_view field, int index) const {
  if (field == kExceptName) {
    if (const Places* of = OverrideOfExcept(index)) return of->Into(field, index);
  } else if (const Places* of = OverrideOf(field)) {
    return of->Into(field, index);
  }
  const FieldDescriptor* descriptor = FieldOf(type_, field);
  const bool present = Recorded(descriptor, index).line > 0 || (tree_ != nullptr && index > 0);
  const auto* nested = present ? tree_->GetTreeForNested(descriptor, index) : nullptr;
  const TextPosition at = Recorded(descriptor, index);
  Places into(*block_, nested, descriptor->message_type(), at.line > 0 ? at : self_);
  into.pinned_ = pinned_;
  return into;
}

bool Places::LeftOut(std::initializer_list<absl::string_view> fields) const {
  for (const absl::string_view field : fields) {
    if (block_->left_out.contains(field)) return true;
  }
  return overrides_ != nullptr && std::ranges::any_of(*overrides_, [&](const OverridePlaces& of) {
           return of.places.LeftOut(fields);
         });
}

}  // namespace kvmsentry
