#include "sensor/base/endpoint.h"

#include "absl/strings/numbers.h"

#include "sensor/base/escape.h"

namespace kvmsentry {

absl::StatusOr<Endpoint> ParseEndpoint(const std::string& text) {
  const size_t colon = text.rfind(':');
  Endpoint endpoint;
  endpoint.host = text.substr(0, colon);
  if (endpoint.host.size() > 2 && endpoint.host.front() == '[' && endpoint.host.back() == ']') {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  } else if (endpoint.host.find_first_of("[]:") != std::string::npos) {
    endpoint.host.clear();  // an IPv6 address without brackets
  }
  if (colon == std::string::npos || endpoint.host.empty() ||
      !absl::SimpleAtoi(text.substr(colon + 1), &endpoint.port) || endpoint.port < 0 ||
      endpoint.port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Escape(text), "' is no endpoint; write ADDRESS:PORT or [ADDRESS]:PORT"));
  }
  return endpoint;
}

std::string ProblemWithEndpoint(const std::string& text) {
  return text.empty() ? "" : std::string(ParseEndpoint(text).status().message());
}

}  // namespace kvmsentry
