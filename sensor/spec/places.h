// Where the fields of one message stand in their file.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"

#include "sensor/spec/parse.h"
#include "sensor/spec/report.h"

namespace kvmsentry {

struct OverridePlaces;

// Names are those of the schema; another is a mistake of the caller. The blocks outlive it.
class Places {
 public:
  // Of the block's SpecFile.
  explicit Places(const ParsedBlock& block);

  // Of a spec that BASE wrote with BASE_EXCEPTS exceptions, as OVERRIDES change it, at least one: a
  // field stands in the override that has it. What none has, and is wrong now, is wrong by the
  // first of them, so it stands there. OVERRIDES outlive it.
  Places(const Places& base, int base_excepts, const std::vector<OverridePlaces>& overrides);

  // The message itself: the place of its field in the message around it.
  TextPosition self() const { return self_; }
  bool Has(absl::string_view field) const;
  // The field's name; self() where it is absent.
  TextPosition Of(absl::string_view field) const;
  // Each value of a repeated scalar field, whether written `f: a f: b` or `f: [a, b]`.
  std::vector<TextPosition> ValuesOf(absl::string_view field) const;
  // The places within a message field, element INDEX of it where it is repeated.
  Places Into(absl::string_view field, int index = -1) const;
  // One of FIELDS was reported and left out somewhere in this block.
  bool LeftOut(std::initializer_list<absl::string_view> fields) const;
  // Anything was.
  bool LeftOutAny() const { return !block_->left_out.empty(); }

 private:
  Places(const ParsedBlock& block, const google::protobuf::TextFormat::ParseInfoTree* tree,
         const google::protobuf::Descriptor* type, TextPosition self)
      : block_(&block), tree_(tree), type_(type), self_(self) {}
  // Index -1: of a field that is not repeated. Line 0 where there is none.
  TextPosition Recorded(const google::protobuf::FieldDescriptor* field, int index) const;
  // The override that has FIELD; nullptr: none.
  const Places* OverrideOf(absl::string_view field) const;
  const Places* OverrideOfExcept(int& index) const;

  const ParsedBlock* block_;
  const google::protobuf::TextFormat::ParseInfoTree* tree_;  // nullptr: an absent message
  const google::protobuf::Descriptor* type_;
  TextPosition self_;
  const std::vector<OverridePlaces>* overrides_ = nullptr;  // nullptr: of no override's spec
  int base_excepts_ = 0;
  bool pinned_ = false;  // whatever stands in it is reported at self_
};

struct OverridePlaces {
  Places places;
  int excepts = 0;  // that it adds
};

}  // namespace kvmsentry
