#include "sensor/rpc/access/tls_files.h"

#include <cerrno>
#include <ctime>
#include <utility>

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "spdlog/spdlog.h"

#include "sensor/inventory/files.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;

template <typename T, void (*Free)(T*)>
struct Freer {
  void operator()(T* object) const { Free(object); }
};
using Certificate = std::unique_ptr<X509, Freer<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO, BIO_free_all>>;

Memory Over(const std::string& text) {
  return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key with a passphrase would have OpenSSL ask on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

absl::Status Unfit(const std::string& path, absl::string_view what) {
  ERR_clear_error();
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
}

absl::Status CheckKeyMode(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return absl::ErrnoToStatus(errno, path);
  // Before it is opened: a FIFO would have the start wait.
  if (!S_ISREG(info.st_mode)) return Unfit(path, "is no file");
  if ((info.st_mode & S_IRWXO) == 0) return absl::OkStatus();
  return Unfit(path, "everybody may read or write this key; chmod o= it, and replace the key");
}

absl::StatusOr<absl::Time> ExpiryOf(const Certificate& certificate, const std::string& path) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &parts) != 1) {
    return Unfit(path, "the certificate has no end that can be read");
  }
  return absl::FromTimeT(timegm(&parts));
}

absl::StatusOr<std::string> ReadPem(const std::string& path) {
  return ReadFileAt(AT_FDCWD, path, kMaxFileBytes);
}

}  // namespace

absl::StatusOr<TlsMaterial> ReadTlsFiles(const TlsPaths& paths) {
  TlsMaterial material;
  KVMSENTRY_RETURN_IF_ERROR(CheckKeyMode(paths.key));
  KVMSENTRY_ASSIGN_OR_RETURN(material.cert, ReadPem(paths.cert));
  KVMSENTRY_ASSIGN_OR_RETURN(material.key, ReadPem(paths.key));
  KVMSENTRY_ASSIGN_OR_RETURN(material.client_ca, ReadPem(paths.client_ca));
  const Certificate certificate(
      PEM_read_bio_X509(Over(material.cert).get(), nullptr, NoPassphrase, nullptr));
  if (certificate == nullptr) return Unfit(paths.cert, "holds no certificate in PEM");
  const Key key(PEM_read_bio_PrivateKey(Over(material.key).get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) {
    return Unfit(paths.key, "holds no private key in PEM that needs no passphrase");
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Unfit(paths.key, absl::StrCat("is not the key of the certificate in ", paths.cert));
  }
  const Certificate authority(
      PEM_read_bio_X509(Over(material.client_ca).get(), nullptr, NoPassphrase, nullptr));
  if (authority == nullptr) return Unfit(paths.client_ca, "holds no certificate in PEM");
  KVMSENTRY_ASSIGN_OR_RETURN(material.expires, ExpiryOf(certificate, paths.cert));
  return material;
}

TlsFiles::TlsFiles(TlsPaths paths, TlsMaterial material)
    : paths_(std::move(paths)),
      material_(std::make_shared<const TlsMaterial>(std::move(material))) {}

absl::StatusOr<std::unique_ptr<TlsFiles>> TlsFiles::Load(const TlsPaths& paths, absl::Time now) {
  KVMSENTRY_ASSIGN_OR_RETURN(TlsMaterial material, ReadTlsFiles(paths));
  if (material.expires <= now) {
    spdlog::error("{}: expired on {}; clients will refuse it", paths.cert,
                  absl::FormatTime(material.expires));
  }
  return std::unique_ptr<TlsFiles>(new TlsFiles(paths, std::move(material)));
}

void TlsFiles::Refresh(absl::Time now) {
  absl::StatusOr<TlsMaterial> material = ReadTlsFiles(paths_);
  std::lock_guard lock(mutex_);
  if (material.ok() && *material != *material_ && material->expires <= now &&
      material_->expires > now) {
    material = absl::InvalidArgumentError(
        absl::StrCat(paths_.cert, ": expired on ", absl::FormatTime(material->expires)));
  }
  if (!material.ok()) {
    const std::string problem(material.status().message());
    if (problem != logged_) {
      spdlog::error("the TLS files are not loaded again, those before stay: {}", problem);
    }
    logged_ = problem;
    return;
  }
  logged_.clear();
  if (*material == *material_) return;
  spdlog::info("loaded new TLS files; the certificate in {} expires on {}", paths_.cert,
               absl::FormatTime(material->expires));
  material_ = std::make_shared<const TlsMaterial>(*std::move(material));
  ++generation_;
}

std::shared_ptr<const TlsMaterial> TlsFiles::NewerThan(uint64_t& generation) const {
  std::lock_guard lock(mutex_);
  if (generation == generation_) return nullptr;
  generation = generation_;
  return material_;
}

}  // namespace kvmsentry
