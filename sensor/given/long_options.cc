#include "absl/strings/match.h"

#include "sensor/given/other_vmms.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxOptions = 4096;

// An option, not a dash or a negative number.
bool IsOption(absl::string_view word) {
  return word.size() > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9');
}

}  // namespace

std::vector<LongOption> SplitLongOptions(std::span<const std::string> args) {
  std::vector<LongOption> options(1);
  for (const std::string& word : args) {
    if (word == "--" || options.size() == kMaxOptions) break;
    if (!IsOption(word)) {
      options.back().values.push_back(word);
      continue;
    }
    const size_t equals = absl::StartsWith(word, "--") ? word.find('=') : std::string::npos;
    LongOption& option = options.emplace_back();
    option.name = word.substr(0, equals);
    if (equals != std::string::npos) option.values.push_back(word.substr(equals + 1));
  }
  return options;
}

}  // namespace kvmsentry
