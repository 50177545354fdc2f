// The certificate, the key and the clients' authorities that TLS is served with.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/time/time.h"

#include "sensor/base/status.h"

namespace kvmsentry {

// Files in PEM.
struct TlsPaths {
  std::string cert;       // the server's, and those between it and its authority
  std::string key;        // its private key
  std::string client_ca;  // the authorities whose client certificates are trusted
};

struct TlsMaterial {
  std::string cert;
  std::string key;
  std::string client_ca;
  absl::Time expires;  // of the server's certificate

  friend bool operator==(const TlsMaterial&, const TlsMaterial&) = default;
};

// All of one moment, and fit for use: certificate and key belong together, and the key is readable
// for its owner and group only. Else INVALID_ARGUMENT, or the file's error, with the file.
absl::StatusOr<TlsMaterial> ReadTlsFiles(const TlsPaths& paths);

// The files as they were when last they were fit. Thread safe.
class TlsFiles {
 public:
  // Fails as ReadTlsFiles. One that has expired is served, and logged: clients refuse it, but a
  // sensor that does not start sees nothing at all.
  static absl::StatusOr<std::unique_ptr<TlsFiles>> Load(const TlsPaths& paths, absl::Time now);

  // Reads the files again; those that are not fit, or have expired while the old ones have not,
  // leave what was there, and are logged once.
  void Refresh(absl::Time now);

  // What is served, if it is newer than GENERATION, which then becomes its own; nullptr else.
  std::shared_ptr<const TlsMaterial> NewerThan(uint64_t& generation) const;

 private:
  TlsFiles(TlsPaths paths, TlsMaterial material);

  const TlsPaths paths_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsMaterial> material_;  // guarded by mutex_
  uint64_t generation_ = 1;                      // guarded by mutex_
  std::string logged_;                           // the problem, by the thread that refreshes
};

}  // namespace kvmsentry
