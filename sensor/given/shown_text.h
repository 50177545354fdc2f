// Texts of command lines and files of configuration, made fit to be kept and shown: secrets are
// taken out, what a terminal or a log could obey is escaped, and the length is bounded.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace kvmsentry {

// Whether what stands under KEY may be a secret: "password", "secret", "data", "luks.key", ...
bool IsSecretKey(absl::string_view key);

// TEXT with "***" in place of
//   - the password in a URL: scheme://USER:PASSWORD@host, and iSCSI's USER%PASSWORD@
//   - the value of each KEY=VALUE and "KEY":"VALUE" whose key is a secret's
//   - the command in exec:COMMAND, which may hold anything
// It errs on the side of hiding.
std::string Redact(absl::string_view text);

// Redacted, then escaped; at most MAX_BYTES of TEXT.
std::string ShownText(absl::string_view text, size_t max_bytes = 256);
// The same of a path, which may be longer.
std::string ShownPath(absl::string_view path);

}  // namespace kvmsentry
