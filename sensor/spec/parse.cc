#include "sensor/spec/parse.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "google/protobuf/io/tokenizer.h"

#include "sensor/base/escape.h"
#include "sensor/spec/reword.h"

namespace kvmsentry {
namespace {

using google::protobuf::TextFormat;

// A spec has fewer fields; each repair parses the block once more.
constexpr int kMaxRepairs = 32;

struct Complaint {
  TextPosition at;
  std::string message;
};

class Complaints : public google::protobuf::io::ErrorCollector {
 public:
  explicit Complaints(const ParsedBlock& block) : block_(block) {}
  void AddError(int line, int column, const std::string& message) override {
    errors.push_back({block_.ToFile(line, column), std::string(absl::StripSuffix(message, "."))});
  }
  void AddWarning(int line, int column, const std::string& message) override {
    warnings.push_back({block_.ToFile(line, column), std::string(absl::StripSuffix(message, "."))});
  }
  std::vector<Complaint> errors;
  std::vector<Complaint> warnings;

 private:
  const ParsedBlock& block_;
};

// Tokens [first, last] of one field, name and value; `at` is the part to complain about.
struct Statement {
  size_t first = 0;
  size_t last = 0;
  size_t at = 0;
};

// The field `name: value` whose value holds token INSIDE.
std::optional<Statement> StatementOfValue(std::span<const Token> tokens, size_t inside) {
  if (inside >= tokens.size()) return std::nullopt;
  size_t value = inside;
  for (size_t i = inside; i > 0; --i) {
    const absl::string_view text = tokens[i].text;
    if (text == "{" || text == "}" || text == "<" || text == ">" || text == ":") break;
    if (text == "[") value = i;
  }
  if (value > 0 && tokens[value - 1].text == "-") --value;
  if (value < 2 || tokens[value - 1].text != ":") return std::nullopt;
  if (tokens[value - 2].kind != Token::Kind::kIdentifier) return std::nullopt;
  size_t last = std::max(value, inside);
  if (Opens(tokens[value])) last = ClosingToken(tokens, value);
  while (last + 1 < tokens.size() && tokens[last].kind == Token::Kind::kString &&
         tokens[last + 1].kind == Token::Kind::kString) {
    ++last;
  }
  // A separator after it would be left with nothing to separate.
  if (last + 1 < tokens.size() && (tokens[last + 1].text == "," || tokens[last + 1].text == ";")) {
    ++last;
  }
  return Statement{value - 2, last, inside};
}

// The field that protobuf's parser stumbled over. It complains about a wrong value at the value or,
// of an enum, at the token after it; about a wrong name at the token after it.
std::optional<Statement> StatementAt(std::span<const Token> tokens, TextPosition error) {
  const size_t at = TokenAt(tokens, error);
  if (auto wrong_value = StatementOfValue(tokens, at)) return wrong_value;
  if (at == 0) return std::nullopt;
  if (auto value_before = StatementOfValue(tokens, at - 1)) return value_before;
  if (at >= tokens.size() || tokens[at - 1].kind != Token::Kind::kIdentifier) return std::nullopt;
  if (tokens[at].text == ":") {
    auto statement = StatementOfValue(tokens, at + 1);
    if (statement) statement->at = at - 1;
    return statement;
  }
  if (Opens(tokens[at])) return Statement{at - 1, ClosingToken(tokens, at), at - 1};
  return std::nullopt;
}

// The name of the field whose value, or a part of it, token INSIDE is; empty at the top.
absl::string_view FieldAround(std::span<const Token> tokens, size_t inside) {
  int closed = 0;
  for (size_t i = std::min(inside, tokens.size()); i-- > 0;) {
    if (Closes(tokens[i])) ++closed;
    if (!Opens(tokens[i]) || closed-- > 0) continue;
    closed = 0;
    const size_t name = i > 0 && tokens[i - 1].text == ":" ? i - 1 : i;
    if (name > 0 && tokens[name - 1].kind == Token::Kind::kIdentifier) return tokens[name - 1].text;
  }
  return "";
}

// A field that the schema does not know is complained about at the token after its name. What it
// was meant to be, or else what is around it, is left out: nothing more is said of that.
void ReportUnknownField(const Complaint& complaint, std::span<const Token> tokens,
                        ParsedBlock& block, const Report& report) {
  const size_t after = TokenAt(tokens, complaint.at);
  const absl::string_view around = FieldAround(tokens, after);
  const Reworded reworded = Reword(complaint.message, around);
  report(after > 0 ? tokens[after - 1].at : complaint.at, reworded.message);
  block.left_out.emplace(reworded.meant.empty() ? around : absl::string_view(reworded.meant));
}

// Overwrites the statement with blanks: all other places stay as they are.
void LeaveOut(const Statement& statement, size_t shift, std::string& text,
              std::vector<Token>& tokens) {
  const auto first = tokens.begin() + static_cast<std::ptrdiff_t>(statement.first);
  const auto end = tokens.begin() + static_cast<std::ptrdiff_t>(statement.last) + 1;
  for (auto token = first; token != end; ++token) {
    text.replace(token->begin - shift, token->text.size(), token->text.size(), ' ');
  }
  tokens.erase(first, end);
}

// Parses the block out of TEXT, whose byte 0 is byte SHIFT of the file, until all of it that can be
// read is.
bool ParseBlock(std::string text, size_t shift, ParsedBlock& block, const Report& report) {
  std::vector<Token> tokens = block.tokens;
  for (int repairs = 0;; ++repairs) {
    Complaints complaints(block);
    block.tree = std::make_unique<TextFormat::ParseInfoTree>();
    TextFormat::Parser parser;
    parser.RecordErrorsTo(&complaints);
    parser.WriteLocationsTo(block.tree.get());
    parser.AllowUnknownField(true);  // then it is a warning, and the rest is still read
    parser.SetRecursionLimit(64);    // brackets are checked already
    const bool whole = parser.ParseFromString(text, &block.message);
    std::optional<Statement> statement;
    if (!complaints.errors.empty()) {
      Complaint& last = complaints.errors.back();
      statement = StatementAt(tokens, last.at);
      // A lexical error points into its token: it knows better.
      const size_t at = TokenAt(tokens, last.at);
      const bool lexical = at < tokens.size() && tokens[at].at != last.at;
      if (statement && !lexical) last.at = tokens[statement->at].at;
    }
    const bool done = whole || !statement || repairs == kMaxRepairs;
    if (done) {
      for (const Complaint& warning : complaints.warnings) {
        ReportUnknownField(warning, tokens, block, report);
      }
    }
    for (const Complaint& error : complaints.errors) {
      report(error.at, Reword(error.message, "").message);
    }
    if (done) return whole;
    block.left_out.emplace(std::string(tokens[statement->first].text));
    LeaveOut(*statement, shift, text, tokens);
  }
}

// `spec: "id"` is a field of an override, `spec: [{` a list of specs.
bool BeginsBlock(std::span<const Token> tokens, size_t i) {
  const auto text = [&](size_t at) { return at < tokens.size() ? tokens[at].text : ""; };
  if (text(i) == "disable") return text(i + 1) == ":";
  if (text(i) != "spec" && text(i) != "override") return false;
  const size_t value = text(i + 1) == ":" ? i + 2 : i + 1;
  return value < tokens.size() && Opens(tokens[value]);
}

// The first byte that no text has, if any: then the file is not read.
bool IsText(absl::string_view text, const Report& report) {
  std::string plain(text);
  for (char& c : plain) {
    if (c == '\n' || c == '\t' || c == '\r' || c == '\\') c = ' ';
  }
  const std::string escaped = Escape(plain, plain.size());
  const auto differ = std::ranges::mismatch(plain, escaped);
  if (differ.in1 == plain.end()) return true;
  report(PositionOf(text, static_cast<size_t>(differ.in1 - plain.begin())),
         absl::StrFormat("byte 0x%02x is no text: a spec file is UTF-8 without control or "
                         "formatting characters; nothing of this file is read",
                         static_cast<uint8_t>(*differ.in1)));
  return false;
}

}  // namespace

TextPosition ParsedBlock::ToFile(int line, int column) const {
  return {origin.line + line, column + (line == 0 ? origin.column : 1), file};
}

void ParseBlocks(absl::string_view text, const Report& report,
                 const std::function<void(ParsedBlock)>& use) {
  if (!IsText(text, report)) return;
  const std::vector<Token> tokens = Tokenize(text);
  size_t end = 0;
  for (size_t first = 0; first < tokens.size(); first = end) {
    end = first + 1;
    while (end < tokens.size() && !BeginsBlock(tokens, end)) ++end;
    ParsedBlock block;
    block.file = report.file();
    const auto own_tokens = std::span(tokens).subspan(first, end - first);
    block.tokens.assign(own_tokens.begin(), own_tokens.end());
    if (const auto problem = BracketProblem(block.tokens)) {
      report({problem->line, problem->column}, problem->message);
      continue;
    }
    // The block's text begins in its line as in the file, counted in tabs, so that a tab in it goes
    // on to the same column.
    const Token& start = tokens[first];
    const auto indent = static_cast<size_t>(start.at.column - 1) % 8;
    block.origin = {start.at.line, start.at.column - static_cast<int>(indent)};
    const size_t length = (end < tokens.size() ? tokens[end].begin : text.size()) - start.begin;
    std::string own = absl::StrCat(std::string(indent, ' '), text.substr(start.begin, length));
    // Unsigned wrap-around is meant where the indent is more than what stands before the block.
    if (ParseBlock(std::move(own), start.begin - indent, block, report)) {
      use(std::move(block));
    }
  }
}

}  // namespace kvmsentry
