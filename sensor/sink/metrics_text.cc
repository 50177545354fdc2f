#include "sensor/sink/metrics_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

// Whatever bytes it has, it stays within its quotes and its line.
std::string LabelValue(absl::string_view value) {
  return absl::StrReplaceAll(EscapeAgain(value), {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
}

}  // namespace

void MetricsText::Begin(absl::string_view name, absl::string_view help, absl::string_view type) {
  name_ = std::string(name);
  absl::StrAppend(&text_, "# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
}

void MetricsText::Sample(Labels labels, double value) {
  text_ += name_;
  char open = '{';
  for (const auto& [label, text] : labels) {
    if (text.empty()) continue;
    absl::StrAppend(&text_, std::string(1, std::exchange(open, ',')), label, "=\"",
                    LabelValue(text), "\"");
  }
  if (open == ',') text_.push_back('}');
  absl::StrAppendFormat(&text_, " %.17g\n", value);
}

}  // namespace kvmsentry
