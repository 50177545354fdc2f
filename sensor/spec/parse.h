// Textproto to messages, with the place of every field, and going on after errors.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/text_format.h"

#include "kvmsentry/v1/spec.pb.h"
#include "sensor/spec/report.h"
#include "sensor/spec/tokens.h"

namespace kvmsentry {

// A file is read block by block, one for each `spec {`, `override {` or `disable:`, so that an
// error in one hides nothing of the others. Within a block a field that can't be read is reported
// and left out.
struct ParsedBlock {
  v1::SpecFile message;  // mostly of one spec
  std::unique_ptr<google::protobuf::TextFormat::ParseInfoTree> tree;
  absl::string_view file;                       // as the report calls it
  std::vector<Token> tokens;                    // of the block; their texts are the file's
  TextPosition origin;                          // what the tree calls 0:0
  std::set<std::string, std::less<>> left_out;  // names of fields that were reported and left out

  TextPosition ToFile(int line, int column) const;
};

// Reads TEXT, at most kMaxSpecFileBytes, and hands each block that can be used to USE; a block
// whose brackets don't match, or with an error that nothing can be left out for, is reported for
// that alone.
void ParseBlocks(absl::string_view text, const Report& report,
                 const std::function<void(ParsedBlock)>& use);

inline constexpr size_t kMaxSpecFileBytes = size_t{1} << 20;

}  // namespace kvmsentry
