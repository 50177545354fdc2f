// Where the fields of one message stand in their file.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"

#include "sensor/spec/parse.h"
#include "sensor/spec/report.h"

namespace kvmsentry {

// Names are those of the schema; another is a mistake of the caller.
class Places {
 public:
  // Of the block's SpecFile.
  explicit Places(const ParsedBlock& block);

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

 private:
  Places(const ParsedBlock& block, const google::protobuf::TextFormat::ParseInfoTree* tree,
         const google::protobuf::Descriptor* type, TextPosition self)
      : block_(block), tree_(tree), type_(type), self_(self) {}
  // Index -1: of a field that is not repeated. Line 0 where there is none.
  TextPosition Recorded(const google::protobuf::FieldDescriptor* field, int index) const;

  const ParsedBlock& block_;
  const google::protobuf::TextFormat::ParseInfoTree* tree_;  // nullptr: an absent message
  const google::protobuf::Descriptor* type_;
  TextPosition self_;
};

}  // namespace kvmsentry
