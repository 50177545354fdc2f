#include "sensor/spec/tokens.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace kvmsentry {
namespace {

using google::protobuf::io::Tokenizer;

constexpr size_t kMaxDepth = 16;  // a spec needs 4

class IgnoreErrors : public google::protobuf::io::ErrorCollector {
  void AddError(int /*line*/, int /*column*/, const std::string& /*message*/) override {}
};

// Walks a text forward and knows line and column as protobuf counts them.
class Cursor {
 public:
  explicit Cursor(absl::string_view text) : text_(text) {}
  TextPosition position() const { return at_; }
  size_t offset() const { return offset_; }
  void AdvanceTo(TextPosition at) {
    while (offset_ < text_.size() && at_ < at) Step();
  }
  void AdvanceTo(size_t offset) {
    while (offset_ < std::min(offset, text_.size())) Step();
  }

 private:
  void Step() {
    switch (text_[offset_++]) {
      case '\n':
        at_ = {at_.line + 1, 1};
        break;
      case '\t':
        at_.column += 8 - (at_.column - 1) % 8;
        break;
      default:
        ++at_.column;
    }
  }

  absl::string_view text_;
  size_t offset_ = 0;
  TextPosition at_{1, 1};
};

Token::Kind KindOf(Tokenizer::TokenType type) {
  if (type == Tokenizer::TYPE_IDENTIFIER) return Token::Kind::kIdentifier;
  if (type == Tokenizer::TYPE_STRING) return Token::Kind::kString;
  return Token::Kind::kOther;
}

char Partner(char open) { return open == '{' ? '}' : open == '<' ? '>' : ']'; }

}  // namespace

std::vector<Token> Tokenize(absl::string_view text) {
  google::protobuf::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  IgnoreErrors errors;
  Tokenizer tokenizer(&input, &errors);
  // As google::protobuf::TextFormat's own parser sets it.
  tokenizer.set_allow_f_after_float(true);
  tokenizer.set_comment_style(Tokenizer::SH_COMMENT_STYLE);

  std::vector<Token> tokens;
  Cursor cursor(text);
  while (tokenizer.Next()) {
    const Tokenizer::Token& token = tokenizer.current();
    cursor.AdvanceTo(TextPosition{token.line + 1, token.column + 1});
    tokens.push_back({KindOf(token.type), text.substr(cursor.offset(), token.text.size()),
                      cursor.position(), cursor.offset()});
  }
  return tokens;
}

TextPosition PositionOf(absl::string_view text, size_t offset) {
  Cursor cursor(text);
  cursor.AdvanceTo(offset);
  return cursor.position();
}

bool Opens(const Token& token) {
  return token.text == "{" || token.text == "<" || token.text == "[";
}

bool Closes(const Token& token) {
  return token.text == "}" || token.text == ">" || token.text == "]";
}

size_t TokenAt(std::span<const Token> tokens, TextPosition at) {
  const auto found = std::ranges::lower_bound(tokens, at, {}, &Token::at);
  return static_cast<size_t>(found - tokens.begin());
}

size_t ClosingToken(std::span<const Token> tokens, size_t open) {
  size_t depth = 0;
  for (size_t i = open; i < tokens.size(); ++i) {
    if (Opens(tokens[i])) ++depth;
    if (Closes(tokens[i]) && --depth == 0) return i;
  }
  return tokens.size() - 1;
}

std::optional<Problem> BracketProblem(std::span<const Token> tokens) {
  const auto problem = [](const Token& token, std::string message) {
    return Problem{"", token.at.line, token.at.column, std::move(message)};
  };
  std::vector<const Token*> open;
  for (const Token& token : tokens) {
    if (Opens(token)) {
      open.push_back(&token);
      if (open.size() > kMaxDepth) {
        return problem(token, absl::StrCat("nested more than ", kMaxDepth, " deep"));
      }
    } else if (Closes(token)) {
      if (open.empty()) {
        return problem(token, absl::StrCat("\"", token.text, "\" closes nothing"));
      }
      if (Partner(open.back()->text[0]) != token.text[0]) {
        return problem(token,
                       absl::StrCat("\"", token.text, "\" does not close the \"", open.back()->text,
                                    "\" at ", open.back()->at.line, ":", open.back()->at.column));
      }
      open.pop_back();
    }
  }
  if (open.empty()) return std::nullopt;
  return problem(*open.back(), absl::StrCat("\"", open.back()->text, "\" is never closed"));
}

}  // namespace kvmsentry
