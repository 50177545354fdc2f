#include "tests/support/certificate.h"

#include <atomic>
#include <cstdlib>
#include <utility>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace kvmsentry {
namespace {

constexpr long kVersion3 = 2;

template <typename T>
T* OrEnd(T* object) {
  if (object == nullptr) std::abort();
  return object;
}

std::string TextOf(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(memory);
  return text;
}

std::string PemOf(X509* certificate) {
  BIO* memory = OrEnd(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory, certificate);
  return TextOf(memory);
}

std::string PemOf(EVP_PKEY* key) {
  BIO* memory = OrEnd(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr);
  return TextOf(memory);
}

void Extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = OrEnd(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Unsigned, valid for a day around now.
X509* Draft(const std::string& name, EVP_PKEY* key) {
  static std::atomic<long> serial = absl::ToUnixNanos(absl::Now()) & 0x7fffffff;
  X509* certificate = OrEnd(X509_new());
  X509_set_version(certificate, kVersion3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_set_pubkey(certificate, key);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

struct TestAuthority::State {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
};

TestAuthority::TestAuthority(const std::string& name) : state_(std::make_unique<State>()) {
  state_->key = OrEnd(EVP_EC_gen("P-256"));
  state_->certificate = Draft(name, state_->key);
  X509_set_issuer_name(state_->certificate, X509_get_subject_name(state_->certificate));
  Extend(state_->certificate, state_->certificate, NID_basic_constraints, "critical,CA:TRUE");
  Extend(state_->certificate, state_->certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  X509_sign(state_->certificate, state_->key, EVP_sha256());
}

TestAuthority::~TestAuthority() {
  X509_free(state_->certificate);
  EVP_PKEY_free(state_->key);
}

std::string TestAuthority::certificate() const { return PemOf(state_->certificate); }

IssuedCertificate TestAuthority::Issue(const CertificateWish& wish) const {
  EVP_PKEY* key = OrEnd(EVP_EC_gen("P-256"));
  X509* certificate = Draft("issued", key);
  X509_set_issuer_name(certificate, X509_get_subject_name(state_->certificate));
  X509_gmtime_adj(X509_getm_notBefore(certificate), absl::ToInt64Seconds(wish.valid_from));
  X509_gmtime_adj(X509_getm_notAfter(certificate), absl::ToInt64Seconds(wish.valid_until));
  if (!wish.sans.empty()) {
    Extend(certificate, state_->certificate, NID_subject_alt_name, absl::StrJoin(wish.sans, ","));
  }
  X509_sign(certificate, state_->key, EVP_sha256());
  IssuedCertificate issued{PemOf(certificate), PemOf(key)};
  X509_free(certificate);
  EVP_PKEY_free(key);
  return issued;
}

}  // namespace kvmsentry
