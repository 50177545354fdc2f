// A textproto file as tokens with their places: what protobuf's parser sees, but not gives.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/spec/report.h"

namespace kvmsentry {

struct Token {
  enum class Kind { kIdentifier, kString, kOther };
  Kind kind = Kind::kOther;
  absl::string_view text;  // as it stands in the file, quotes included
  TextPosition at;
  size_t begin = 0;  // its offset in the file
};

// Without comments. Lexical errors are left to protobuf's parser, which meets them again. TEXT must
// outlive the tokens and be smaller than 2 GiB.
std::vector<Token> Tokenize(absl::string_view text);

// The place of a byte of TEXT.
TextPosition PositionOf(absl::string_view text, size_t offset);

bool Opens(const Token& token);   // { < [
bool Closes(const Token& token);  // } > ]

// The first token at or after AT; the size of TOKENS if there is none.
size_t TokenAt(std::span<const Token> tokens, TextPosition at);

// The token that closes what TOKENS[open] opens; the last token if none does.
size_t ClosingToken(std::span<const Token> tokens, size_t open);

// What is wrong with the brackets of TOKENS, if anything: unclosed, unopened, mismatched, or nested
// deeper than any spec is. Only the first such problem.
std::optional<Problem> BracketProblem(std::span<const Token> tokens);

}  // namespace kvmsentry
