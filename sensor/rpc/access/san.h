// The roles of clients that come with a certificate, by its subject alternative names.
#pragma once

#include <string>
#include <vector>

#include "sensor/base/status.h"
#include "sensor/rpc/access/caller.h"

namespace kvmsentry {

// A pattern is a DNS name, "*.ops.example.org", or a URI, "spiffe://example.org/ns/*/sa/ops". A '*'
// stands for one whole label of the one, or one whole segment of the other, never for more.
struct SanRoles {
  std::vector<std::string> viewers;
  std::vector<std::string> admins;
};

// The names that a verified certificate has.
struct Sans {
  std::vector<std::string> dns;
  std::vector<std::string> uris;
};

// INVALID_ARGUMENT for a pattern that could match what its author cannot have meant.
absl::Status CheckSanPattern(const std::string& pattern);

// DNS names compare without regard to case, URIs byte by byte. A name with a '*' of its own matches
// nothing: a wildcard certificate names no client.
bool SanMatches(const std::string& pattern, const std::string& name, bool is_uri);

// The highest role of any of its names, and that name.
Caller CallerOf(const Sans& sans, const SanRoles& roles);

}  // namespace kvmsentry
