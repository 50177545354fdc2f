#include "sensor/given/key_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(KeyValuesTest, QemusCommasAreDoubled) {
  EXPECT_THAT(KeyValues::OfQemu("/a,,b,format=raw,id=d,,=,,", "file").items(),
              ElementsAre(Pair("file", "/a,b"), Pair("format", "raw"), Pair("id", "d,=,")));
}

TEST(KeyValuesTest, QemusFlagsAndTheLastOfAKey) {
  const KeyValues values = KeyValues::OfQemu("socket,server,nowait,id=a,id=b", "backend");
  EXPECT_EQ(values.Get("backend"), "socket");
  EXPECT_EQ(values.GetFlag("server"), true);
  EXPECT_EQ(values.GetFlag("wait"), false);
  EXPECT_EQ(values.Get("id"), "b");
  EXPECT_FALSE(values.Has("nowait"));
  EXPECT_EQ(KeyValues::OfQemu("vmx=on", "model").Get("model"), "");
}

TEST(KeyValuesTest, ListsKeepWhatIsInBracketsOrQuotes) {
  EXPECT_THAT(KeyValues::OfList("boot=4,affinity=[0@[1,2],1@[3]],path=\"a,b\",direct").items(),
              ElementsAre(Pair("boot", "4"), Pair("affinity", "[0@[1,2],1@[3]]"),
                          Pair("path", "a,b"), Pair("direct", "true")));
}

TEST(KeyValuesTest, JsonIsFlattened) {
  const auto values = KeyValues::OfJson(
      R"({"driver":"qcow2","file":{"filename":"/a\"b"},"backing":null,"n":[1,-2],"on":true})");
  ASSERT_TRUE(values.has_value());
  EXPECT_EQ(values->Get("file.filename"), "/a\"b");
  EXPECT_TRUE(values->Has("backing"));
  EXPECT_EQ(values->Get("backing"), "");
  EXPECT_EQ(values->Get("n.0"), "1");
  EXPECT_EQ(values->Get("n.1"), "-2");
  EXPECT_EQ(values->GetFlag("on"), true);
}

TEST(KeyValuesTest, JsonThatIsNoneOrTooDeepIsRefused) {
  EXPECT_FALSE(KeyValues::OfJson("{\"a\":").has_value());
  EXPECT_FALSE(KeyValues::OfJson("[1]").has_value());
  EXPECT_FALSE(KeyValues::OfJson("").has_value());
  EXPECT_FALSE(KeyValues::OfJson("{\"a\":\"\xff\"}").has_value());
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
  deep += "1";
  EXPECT_FALSE(KeyValues::OfJson(deep).has_value());
  EXPECT_FALSE(KeyValues::OfJson(deep + std::string(100'000, '}')).has_value());
}

TEST(KeyValuesTest, CountsAndLengthsAreBounded) {
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "k=v,";
  EXPECT_EQ(KeyValues::OfQemu(many, "").items().size(), KeyValues::kMaxItems);
  EXPECT_EQ(KeyValues::OfList(many).items().size(), KeyValues::kMaxItems);
  EXPECT_EQ(KeyValues::OfQemu("a=" + std::string(100'000, 'x'), "").Get("a").size(),
            KeyValues::kMaxValue);
  EXPECT_EQ(KeyValues::OfJson("{\"a\":\"" + std::string(100'000, 'x') + "\"}")->Get("a").size(),
            KeyValues::kMaxValue);
}

TEST(ParseSizeTest, SuffixesAndUnits) {
  constexpr uint64_t kMebi = 1 << 20;
  EXPECT_EQ(ParseSize("512", kMebi), 512 * kMebi);
  EXPECT_EQ(ParseSize("219136k", kMebi), 219136ULL << 10);
  EXPECT_EQ(ParseSize("1.5G"), 3ULL << 29);
  EXPECT_EQ(ParseSize("4GiB"), 4ULL << 30);
  EXPECT_EQ(ParseSize("0x1000"), 4096U);
  EXPECT_EQ(ParseSize("7e"), 7ULL << 60);
  for (const char* bad : {"", "x", "-1", "16e", "1q", "1kk", "99999999999999999999", "1..2", "0x",
                          "18446744073709551615k", "1e400", "nan", " 1"}) {
    EXPECT_EQ(ParseSize(bad), std::nullopt) << bad;
  }
}

TEST(ParseFlagTest, BothWays) {
  EXPECT_EQ(ParseFlag("on"), true);
  EXPECT_EQ(ParseFlag("TRUE"), true);
  EXPECT_EQ(ParseFlag("no"), false);
  EXPECT_EQ(ParseFlag("maybe"), std::nullopt);
  EXPECT_EQ(ParseFlag(""), std::nullopt);
}

}  // namespace
}  // namespace kvmsentry
