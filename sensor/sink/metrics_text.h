// The text format of Prometheus, version 0.0.4. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace kvmsentry {

// A label with an empty value is left out: to Prometheus it is the same.
using Labels = std::initializer_list<std::pair<absl::string_view, absl::string_view>>;

// One metric after the other: all samples of one follow its Begin.
class MetricsText {
 public:
  // NAME of a counter ends in "_total". HELP is a sentence of ours.
  void Counter(absl::string_view name, absl::string_view help) { Begin(name, help, "counter"); }
  void Gauge(absl::string_view name, absl::string_view help) { Begin(name, help, "gauge"); }

  void Sample(Labels labels, double value);
  void Sample(double value) { Sample({}, value); }

  std::string Take() { return std::move(text_); }

 private:
  void Begin(absl::string_view name, absl::string_view help, absl::string_view type);

  std::string name_;
  std::string text_;
};

}  // namespace kvmsentry
