#include "sensor/rpc/access/san.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

constexpr char kScheme[] = "://";
constexpr size_t kShownNames = 3;

bool IsUri(const std::string& pattern) { return absl::StrContains(pattern, kScheme); }

std::vector<std::string> PartsOf(const std::string& name, bool is_uri) {
  return absl::StrSplit(is_uri ? name : absl::AsciiStrToLower(name), is_uri ? '/' : '.');
}

bool MatchesAny(const std::vector<std::string>& patterns, const std::string& name, bool is_uri) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return SanMatches(pattern, name, is_uri); });
}

std::string CallerName(const std::string& name) {
  return absl::StrCat("certificate ", Escape(name));
}

// Of a certificate that has no role.
std::string NameOfUnknown(const Sans& sans) {
  std::vector<std::string> names;
  for (const auto* list : {&sans.uris, &sans.dns}) {
    for (const std::string& name : *list) {
      if (names.size() < kShownNames) names.push_back(Escape(name));
    }
  }
  return names.empty() ? "a certificate without a DNS or URI name"
                       : absl::StrCat("certificate ", absl::StrJoin(names, ", "));
}

}  // namespace

absl::Status CheckSanPattern(const std::string& pattern) {
  const auto wrong = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("'", Escape(pattern), "' ", what));
  };
  const bool is_uri = IsUri(pattern);
  const std::vector<std::string> parts = PartsOf(pattern, is_uri);
  bool names_something = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    const bool scheme = is_uri && i < 2;  // "spiffe:" and the nothing between its two slashes
    if (part.empty() && !scheme) return wrong("has an empty part; write it as certificates do");
    if (part != "*" && absl::StrContains(part, "*")) {
      return wrong("has a '*' that is no whole label; write *.example.org or example-1.org");
    }
    if (part == "*" && (scheme || (is_uri && i == 2))) {
      return wrong("leaves scheme or authority open; name them: spiffe://example.org/*");
    }
    names_something |= part != "*" && !scheme;
  }
  if (!names_something) return wrong("matches whatever there is; name at least one label");
  return absl::OkStatus();
}

bool SanMatches(const std::string& pattern, const std::string& name, bool is_uri) {
  if (IsUri(pattern) != is_uri || absl::StrContains(name, "*")) return false;
  const std::vector<std::string> wanted = PartsOf(pattern, is_uri);
  const std::vector<std::string> got = PartsOf(name, is_uri);
  return std::ranges::equal(wanted, got, [](const std::string& want, const std::string& has) {
    return want == "*" ? !has.empty() : want == has;
  });
}

Caller CallerOf(const Sans& sans, const SanRoles& roles) {
  for (const auto& [role, patterns] :
       {std::pair(Role::kAdmin, &roles.admins), std::pair(Role::kViewer, &roles.viewers)}) {
    for (const auto& [names, is_uri] : {std::pair(&sans.uris, true), std::pair(&sans.dns, false)}) {
      for (const std::string& name : *names) {
        if (MatchesAny(*patterns, name, is_uri)) return {role, CallerName(name)};
      }
    }
  }
  return {Role::kNone, NameOfUnknown(sans)};
}

}  // namespace kvmsentry
