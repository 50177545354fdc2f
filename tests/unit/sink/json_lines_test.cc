#include "sensor/sink/json_lines.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

StreamItem Alert(uint64_t sequence, std::string summary = "") {
  auto alert = std::make_shared<JournaledAlert>();
  alert->position = {9, sequence};
  alert->event.summary = std::move(summary);
  return AlertPtr(std::move(alert));
}

std::string TextOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class JsonFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(dir_, TempDir::Make());
    path_ = *dir_ / "alerts.jsonl";
  }
  std::optional<TempDir> dir_;
  std::string path_;
};

TEST_F(JsonFileTest, KnowsWhatItHasAfterARestart) {
  EXPECT_EQ(JsonFileSink(path_).LastWritten(), std::nullopt);
  {
    JsonFileSink sink(path_);
    ASSERT_OK(sink.Write(Alert(1)));
    ASSERT_OK(sink.Write(Alert(2, "a line\nbreak and a \"quote\"")));
  }
  EXPECT_EQ(JsonFileSink(path_).LastWritten(), (Position{9, 2}));
  const std::string text = TextOf(path_);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  struct stat facts {};
  ASSERT_EQ(stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  ASSERT_OK(JsonFileSink(path_).Write(Gap{{9, 3}, {9, 7}, GapReason::kSlowSubscriber}));
  EXPECT_EQ(JsonFileSink(path_).LastWritten(), (Position{9, 7}));
}

TEST_F(JsonFileTest, CutsATornLineOff) {
  ASSERT_OK(JsonFileSink(path_).Write(Alert(1)));
  const std::string whole = TextOf(path_);
  std::ofstream(path_, std::ios::app) << "{\"alert\":{\"position\":{\"ep";
  EXPECT_EQ(JsonFileSink(path_).LastWritten(), (Position{9, 1}));
  ASSERT_OK(JsonFileSink(path_).Write(Alert(2)));
  EXPECT_EQ(TextOf(path_).substr(0, whole.size()), whole);
  EXPECT_EQ(TextOf(path_).find("\"ep{"), std::string::npos);
  EXPECT_EQ(JsonFileSink(path_).LastWritten(), (Position{9, 2}));
}

TEST_F(JsonFileTest, KeepsAFewFilesOfALimitedSize) {
  JsonFileSink sink(path_, 3000);
  for (uint64_t i = 1; i <= 100; ++i) ASSERT_OK(sink.Write(Alert(i)));
  for (const char* end : {"", ".1", ".2", ".3", ".4"}) {
    EXPECT_LE(std::filesystem::file_size(path_ + end), 3000U) << end;
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + ".5"));
  EXPECT_EQ(JsonFileSink(path_).LastWritten(), (Position{9, 100}));
  std::filesystem::remove(path_);
  const auto before = JsonFileSink(path_).LastWritten();
  ASSERT_TRUE(before);
  EXPECT_LT(before->sequence, 100U);
}

TEST_F(JsonFileTest, GoesOnInANewFileOnceSomebodyMovesItAway) {
  JsonFileSink sink(path_);
  ASSERT_OK(sink.Write(Alert(1)));
  std::filesystem::rename(path_, path_ + ".away");
  ASSERT_OK(sink.Write(Alert(2)));
  EXPECT_THAT(TextOf(path_), HasSubstr("\"sequence\":\"2\""));
}

TEST_F(JsonFileTest, SaysWhyItCannotWrite) {
  JsonFileSink sink(*dir_ / "no/such/folder");
  EXPECT_THAT(std::string(sink.Write(Alert(1)).message()), HasSubstr("no/such/folder"));
}

}  // namespace
}  // namespace kvmsentry
