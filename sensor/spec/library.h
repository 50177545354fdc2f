// The spec library: all specs, parsed from *.textproto files and checked.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"
#include "sensor/feature/limit.h"
#include "sensor/spec/layers.h"
#include "sensor/spec/spec.h"

namespace kvmsentry {

// A problem with a spec, at a place in a file; line and column count from 1. Columns count bytes; a
// tab goes on to the next multiple of 8.
struct Problem {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;
  bool is_warning = false;  // it can be used, but does hardly what its author meant
};

// "FILE:LINE:COLUMN: error: MESSAGE", as compilers say it; or "warning: ".
std::string ToString(const Problem& problem);

// Immutable once made; may be shared by threads.
class SpecLibrary {
 public:
  struct Result;

  // Reads all sources and reports every problem, ordered by file, line and column. The library is
  // empty where there is an error. A spec whose brackets don't match, or that can't be read for
  // another reason than the value of a field, is reported for that alone. The order of files does
  // not matter. Sources are untrusted: at most 1 MiB each, 10,000 specs and 10,000 changes in all.
  // Pure.
  static Result Parse(const SpecLayers& layers);
  // Without a site's layer.
  static Result Parse(const std::vector<SpecSource>& sources);

  // ReadSpecFolder and Parse; all errors, a line each, in one INVALID_ARGUMENT.
  static absl::StatusOr<SpecLibrary> Load(const std::filesystem::path& dir);

  // Of specs that are checked already, in any order: for tests and benchmarks.
  static SpecLibrary FromSpecs(std::vector<Spec> specs) {
    SpecLibrary library;
    library.specs_ = std::move(specs);
    std::ranges::sort(library.specs_, {}, &Spec::id);
    return library;
  }

  // In the order of their ids.
  const std::vector<Spec>& specs() const { return specs_; }
  const Spec* Find(absl::string_view id) const;

  // Of a spec of this library.
  const Origin& OriginOf(absl::string_view id) const;
  // In the order of their ids.
  const std::vector<DisabledSpec>& disabled() const { return disabled_; }

  // What the kernel must tell at once of this VM: rates with a max, and bursts; ordered, without
  // duplicates, at most kLimitsPerMeter of a meter (limits.cc says which).
  std::vector<Limit> LimitsFor(const VmFacts& facts) const;

 private:
  std::vector<Spec> specs_;
  std::map<std::string, Origin, std::less<>> origins_;  // by id
  std::vector<DisabledSpec> disabled_;
};

struct SpecLibrary::Result {
  SpecLibrary library;
  std::vector<Problem> problems;
};

}  // namespace kvmsentry
