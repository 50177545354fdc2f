#include "sensor/rpc/access/tls_files.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "absl/time/clock.h"

#include "tests/support/assert_ok.h"
#include "tests/support/certificate.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

class TlsFilesTest : public ::testing::Test {
 protected:
  TlsFilesTest() {
    Write(paths_.client_ca, authority_.certificate());
    Write(issued_);
  }

  static void Write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
    chmod(path.c_str(), 0640);
  }
  void Write(const IssuedCertificate& issued) {
    Write(paths_.cert, issued.certificate);
    Write(paths_.key, issued.key);
  }
  std::string Problem() { return std::string(ReadTlsFiles(paths_).status().message()); }

  // Whether what is served has changed since the last time, and is ISSUED.
  bool Became(const TlsFiles& files, const IssuedCertificate& issued) {
    const auto material = files.NewerThan(generation_);
    return material != nullptr && material->cert == issued.certificate &&
           material->key == issued.key;
  }

  const TempDir dir_ = TempDir::Make().value();
  const TlsPaths paths_{dir_ / "cert.pem", dir_ / "key.pem", dir_ / "ca.pem"};
  const TestAuthority authority_{"authority"};
  const IssuedCertificate issued_ = authority_.Issue({.sans = {"DNS:localhost"}});
  const absl::Time now_ = absl::Now();
  uint64_t generation_ = 0;
};

TEST_F(TlsFilesTest, ReadsAllThreeAndWhenTheCertificateExpires) {
  ASSERT_OK_AND_ASSIGN(const TlsMaterial material, ReadTlsFiles(paths_));
  EXPECT_EQ(material.cert, issued_.certificate);
  EXPECT_EQ(material.client_ca, authority_.certificate());
  EXPECT_LT(absl::AbsDuration(material.expires - (now_ + absl::Hours(1))), absl::Minutes(2));
}

TEST_F(TlsFilesTest, WhatIsNotFitIsNamedWithTheReason) {
  Write(paths_.key, authority_.Issue({}).key);
  EXPECT_THAT(Problem(), HasSubstr("key.pem: is not the key of the certificate in"));
  Write(paths_.key, "-----BEGIN PRIVATE KEY-----\nrubbish\n-----END PRIVATE KEY-----\n");
  EXPECT_THAT(Problem(), HasSubstr("key.pem: holds no private key"));
  Write(issued_);
  Write(paths_.client_ca, "");
  EXPECT_THAT(Problem(), HasSubstr("ca.pem: holds no certificate"));
  Write(paths_.cert, std::string(100, '\0'));
  EXPECT_THAT(Problem(), HasSubstr("cert.pem: holds no certificate"));
  std::filesystem::remove(paths_.cert);
  EXPECT_THAT(Problem(), HasSubstr("cert.pem"));
}

TEST_F(TlsFilesTest, AKeyThatEverybodyCanReadIsRefused) {
  for (const mode_t mode : {0644U, 0604U, 0642U}) {
    chmod(paths_.key.c_str(), mode);
    EXPECT_THAT(Problem(), HasSubstr("key.pem: everybody may read or write this key")) << mode;
  }
  std::filesystem::remove(paths_.key);
  mkfifo(paths_.key.c_str(), 0600);
  EXPECT_THAT(Problem(), HasSubstr("key.pem: is no file"));
}

TEST_F(TlsFilesTest, ANewPairIsServedOnce) {
  ASSERT_OK_AND_ASSIGN(const auto files, TlsFiles::Load(paths_, now_));
  EXPECT_TRUE(Became(*files, issued_));
  EXPECT_FALSE(Became(*files, issued_));
  const IssuedCertificate next = authority_.Issue({});
  Write(next);
  files->Refresh(now_);
  EXPECT_TRUE(Became(*files, next));
  files->Refresh(now_);
  EXPECT_EQ(files->NewerThan(generation_), nullptr);
}

TEST_F(TlsFilesTest, ABadPairLeavesTheOneBeforeUntilAGoodOneComes) {
  ASSERT_OK_AND_ASSIGN(const auto files, TlsFiles::Load(paths_, now_));
  EXPECT_TRUE(Became(*files, issued_));
  const IssuedCertificate next = authority_.Issue({});
  Write(paths_.cert, next.certificate);  // the key is still to come
  files->Refresh(now_);
  EXPECT_EQ(files->NewerThan(generation_), nullptr);
  const IssuedCertificate expired =
      authority_.Issue({.sans = {}, .valid_until = -absl::Minutes(1)});
  Write(expired);
  files->Refresh(now_);
  EXPECT_EQ(files->NewerThan(generation_), nullptr);
  Write(next);
  files->Refresh(now_);
  EXPECT_TRUE(Became(*files, next));
}

TEST_F(TlsFilesTest, AnExpiredCertificateDoesNotKeepTheSensorFromStarting) {
  Write(authority_.Issue({.sans = {}, .valid_until = -absl::Minutes(1)}));
  EXPECT_TRUE(TlsFiles::Load(paths_, now_).ok());
}

}  // namespace
}  // namespace kvmsentry
