// Certificates that a test makes for itself.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace kvmsentry {

// In PEM.
struct IssuedCertificate {
  std::string certificate;
  std::string key;
};

struct CertificateWish {
  // As OpenSSL writes them: "DNS:ops.example.org", "URI:spiffe://example.org/ops", "IP:127.0.0.1".
  std::vector<std::string> sans;
  absl::Duration valid_from = -absl::Hours(1);  // from now
  absl::Duration valid_until = absl::Hours(1);
};

// An authority of its own name and key. Ends the process where OpenSSL fails.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);
  ~TestAuthority();

  std::string certificate() const;
  IssuedCertificate Issue(const CertificateWish& wish) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kvmsentry
