#include "sensor/rpc/access/san.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

bool Dns(const char* pattern, const char* name) { return SanMatches(pattern, name, false); }
bool Uri(const char* pattern, const char* name) { return SanMatches(pattern, name, true); }

TEST(San, AStarIsOneWholeLabel) {
  EXPECT_TRUE(Dns("ops.example.org", "OPS.example.ORG"));
  EXPECT_TRUE(Dns("*.example.org", "ops.example.org"));
  EXPECT_FALSE(Dns("*.example.org", "a.ops.example.org"));
  EXPECT_FALSE(Dns("*.example.org", "example.org"));
  EXPECT_FALSE(Dns("*.example.org", ".example.org"));
  EXPECT_FALSE(Dns("ops.example.org", "ops.example.org.evil.org"));
  EXPECT_FALSE(Dns("ops.example.org", "xops.example.org"));
  EXPECT_FALSE(Dns("ops.example.org", "ops.example.org."));
}

TEST(San, AStarIsOneWholeSegmentOfAUri) {
  EXPECT_TRUE(Uri("spiffe://example.org/ns/*/sa/ops", "spiffe://example.org/ns/prod/sa/ops"));
  EXPECT_FALSE(Uri("spiffe://example.org/ns/*/sa/ops", "spiffe://example.org/ns/a/b/sa/ops"));
  EXPECT_FALSE(Uri("spiffe://example.org/ns/*/sa/ops", "spiffe://example.org/ns//sa/ops"));
  EXPECT_FALSE(Uri("spiffe://example.org/ops", "spiffe://example.org/OPS"));
  EXPECT_FALSE(Uri("spiffe://example.org/*", "spiffe://evil.org/ops"));
}

TEST(San, ADnsNameIsNeverTakenForAUriNorAWildcardForAName) {
  EXPECT_FALSE(Dns("spiffe://example.org/ops", "spiffe://example.org/ops"));
  EXPECT_FALSE(Uri("ops.example.org", "ops.example.org"));
  EXPECT_FALSE(Dns("*.example.org", "*.example.org"));
}

TEST(San, ANulInANameEndsItForNobody) {
  const std::string name("ops.example.org\0.evil.org", 25);
  EXPECT_FALSE(SanMatches("ops.example.org", name, false));
}

TEST(San, AnAdminsNameGoesBeforeAViewers) {
  const SanRoles roles{.viewers = {"*.example.org"}, .admins = {"spiffe://example.org/ops"}};
  EXPECT_EQ(CallerOf({.dns = {"a.example.org"}, .uris = {"spiffe://example.org/ops"}}, roles),
            (Caller{Role::kAdmin, "certificate spiffe://example.org/ops"}));
  EXPECT_EQ(CallerOf({.dns = {"a.example.org"}, .uris = {}}, roles),
            (Caller{Role::kViewer, "certificate a.example.org"}));
}

TEST(San, WhoHasNoRoleIsNamedHarmlessly) {
  const Caller none = CallerOf({.dns = {"a\x1b[31m.org", "b", "c", "d"}, .uris = {}}, {});
  EXPECT_EQ(none, (Caller{Role::kNone, "certificate a\\x1b[31m.org, b, c"}));
  EXPECT_EQ(CallerOf(Sans{}, {}).role, Role::kNone);
}

TEST(San, APatternThatMatchesTooMuchIsRefusedWithTheReason) {
  for (const char* right : {"ops.example.org", "*.example.org", "a.*.example.org",
                            "spiffe://example.org/*", "spiffe://example.org/ns/*/sa/x"}) {
    EXPECT_TRUE(CheckSanPattern(right).ok()) << right;
  }
  for (const auto& [wrong, why] : {std::pair("*", "matches whatever there is"),
                                   {"*.*", "matches whatever there is"},
                                   {"", "has an empty part"},
                                   {"a..b", "has an empty part"},
                                   {"ops*.example.org", "no whole label"},
                                   {"spiffe://*/ops", "leaves scheme or authority open"},
                                   {"*://example.org/ops", "no whole label"},
                                   {"spiffe://example.org/", "has an empty part"}}) {
    EXPECT_THAT(std::string(CheckSanPattern(wrong).message()), HasSubstr(why)) << wrong;
  }
}

}  // namespace
}  // namespace kvmsentry
