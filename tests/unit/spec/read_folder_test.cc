#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/spec/spec_text.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SpecFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "specs-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / name, std::ios::binary) << text;
  }
  std::string ErrorOfReading() { return std::string(ReadSpecFolder(dir_).status().message()); }

  std::filesystem::path dir_;
};

TEST_F(SpecFolderTest, ReadsSpecFilesInTheOrderOfTheirNames) {
  Write("b.textproto", "B");
  Write("a.textproto", std::string("A\0A", 3));
  Write("README.md", "no spec");
  Write(".#b.textproto", "an editor's");
  std::filesystem::create_directory(dir_ / "more");
  Write("more/c.textproto", "of a subfolder");
  const auto sources = ReadSpecFolder(dir_);
  ASSERT_TRUE(sources.ok()) << sources.status();
  ASSERT_EQ(sources->size(), 2);
  EXPECT_EQ((*sources)[0].file, dir_ / "a.textproto");
  EXPECT_EQ((*sources)[0].text, std::string("A\0A", 3));
  EXPECT_EQ((*sources)[1].file, dir_ / "b.textproto");
}

TEST_F(SpecFolderTest, FailsWhereThereIsNothingToRead) {
  EXPECT_EQ(ErrorOfReading(), "spec folder " + dir_.string() + " holds no *.textproto file");
  EXPECT_THAT(ReadSpecFolder(dir_ / "none").status().message().data(),
              HasSubstr("none can't be read: No such file or directory"));
  EXPECT_THAT(ReadShippedFolder(dir_ / "none").status().message().data(),
              HasSubstr("No such file or directory; --specs DIR names another"));
}

TEST_F(SpecFolderTest, TakesAFileOfOneMebibyteAndNotOneByteMore) {
  Write("a.textproto", std::string(1 << 20, '#'));
  EXPECT_TRUE(ReadSpecFolder(dir_).ok());
  Write("a.textproto", std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(ErrorOfReading(), (dir_ / "a.textproto").string() +
                                  ": is larger than 1 MiB; split it into several files");
}

TEST_F(SpecFolderTest, TakesOnlyRegularFiles) {
  std::filesystem::create_symlink("/dev/zero", dir_ / "a.textproto");
  EXPECT_EQ(ErrorOfReading(), (dir_ / "a.textproto").string() + ": is not a regular file");
}

TEST_F(SpecFolderTest, LoadGivesEveryProblemALine) {
  Write("a.textproto", SpecText().With(6, "  weight: 0").text());
  Write("b.textproto", SpecText().With(7, "  severity: 77").text());
  const auto library = SpecLibrary::Load(dir_);
  EXPECT_EQ(library.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string a = (dir_ / "a.textproto").string();
  const std::string b = (dir_ / "b.textproto").string();
  EXPECT_EQ(library.status().message(),
            a + ":6:3: error: weight is 0; it must be from 1 to 100\n" + b +
                ":2:3: error: id \"a-spec\" is already used at " + a + ":2:3\n" + b +
                ":7:3: error: severity is none of INFO, NOTICE, WARNING, CRITICAL");
}

TEST_F(SpecFolderTest, LoadGivesTheLibraryInTheOrderOfIds) {
  Write("a.textproto",
        SpecText().With(2, "id: \"z\"").text() + SpecText().With(2, "id: \"m\"").text());
  Write("b.textproto", SpecText().With(2, "id: \"a\"").text());  // all alike: warnings only
  const auto library = SpecLibrary::Load(dir_);
  ASSERT_TRUE(library.ok()) << library.status();
  std::vector<std::string> ids;
  for (const Spec& spec : library->specs()) ids.push_back(spec.id);
  EXPECT_THAT(ids, ElementsAre("a", "m", "z"));
  ASSERT_NE(library->Find("m"), nullptr);
  EXPECT_EQ(library->Find("m")->id, "m");
  EXPECT_EQ(library->Find("b"), nullptr);
  EXPECT_EQ(library->Find(""), nullptr);
  EXPECT_EQ(library->Find("zz"), nullptr);
}

}  // namespace
}  // namespace kvmsentry
