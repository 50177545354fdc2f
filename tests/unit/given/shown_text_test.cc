#include "sensor/given/shown_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RedactTest, NoSecretIsLeft) {
  for (const char* text : {
           "https://me:hunter2@host/image.qcow2",
           "nbd://me:hunter2@host:10809/x",
           "iscsi://user%hunter2@10.0.0.1:3260/iqn/1",
           "https://me:a@hunter2@host/",
           "https://me:a/hunter2@host/",
           "rbd:pool/image:id=admin:key=hunter2==:auth_supported=cephx",
           "secret,id=sec0,data=hunter2",
           "secret,id=sec0,data=a,,hunter2,format=raw",
           "port=5900,password=hunter2",
           "PASSWORD=hunter2",
           R"({"qom-type":"secret","id":"s","data":"hunter2"})",
           R"({"qom-type":"secret","data" : "a\"hunter2","id":"s"})",
           R"({"password":"hunter2)",
           "https://host/image?token=hunter2&x=1",
           "https://host/image?X-Amz-Signature=hunter2",
           "exec:curl -u me:hunter2 https://host",
           "EXEC:cat hunter2",
           "user=a,luks.key=hunter2",
           "fat:rw:/x?access_token=hunter2",
           "x-api-key=hunter2",
           "tls-authz=a,proxy-password=hunter2 x",
       }) {
    EXPECT_THAT(Redact(text), Not(HasSubstr("hunter2"))) << text;
    EXPECT_THAT(Redact(text), HasSubstr("***")) << text;
  }
}

TEST(RedactTest, WhatIsNoSecretStays) {
  for (const char* text :
       {"", "/var/lib/vm/disk.qcow2", "tcp:0:49152", "unix:/run/a.sock,server=on",
        "52:54:00:12:34:56", "https://host:8080/image.qcow2", "nbd://[::1]:10809",
        "monkey=1,format=raw", "/keys/a=b", "fd:29", "a:b:c", "http://"}) {
    EXPECT_EQ(Redact(text), text);
  }
}

TEST(RedactTest, TheRestOfALineStays) {
  EXPECT_EQ(Redact("secret,id=s,data=abc,format=raw"), "secret,id=s,data=***,format=raw");
  EXPECT_EQ(Redact("https://me:abc@host/x"), "https://me:***@host/x");
  EXPECT_EQ(Redact(R"({"data":"abc","id":"s"})"), R"({"data":***,"id":"s"})");
}

TEST(ShownTextTest, IsRedactedEscapedAndBounded) {
  EXPECT_EQ(ShownText("a\x1b[31m\nb"), "a\\x1b[31m\\x0ab");
  EXPECT_LE(ShownText(std::string(1 << 20, 'x')).size(), 300U);
  EXPECT_THAT(ShownPath("/" + std::string(1 << 20, '\n')), Not(HasSubstr("\n")));
  // Where the cut falls, no secret comes to light.
  EXPECT_THAT(ShownText(std::string(250, 'a') + ",password=hunter2"), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace kvmsentry
