#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/engine/trace.h"

namespace kvmsentry {
namespace {

std::string ReadWhole(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> TraceNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(ENGINE_TESTDATA)) {
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class GoldenTraceTest : public testing::TestWithParam<std::string> {};

// Where what it says has changed for the better, the new text is in the test's output folder.
TEST_P(GoldenTraceTest, SaysWhatItSaid) {
  const auto path = std::filesystem::path(ENGINE_TESTDATA) / (GetParam() + ".trace");
  const std::string golden = ReadWhole(path);
  ASSERT_FALSE(golden.empty());
  const std::string replayed = Replay(golden);
  if (replayed != golden) {
    const auto actual = std::filesystem::path(testing::TempDir()) / (GetParam() + ".trace");
    std::ofstream(actual) << replayed;
    ADD_FAILURE() << "diff " << path << " " << actual;
  }
  EXPECT_EQ(replayed, golden);
}

INSTANTIATE_TEST_SUITE_P(Traces, GoldenTraceTest, testing::ValuesIn(TraceNames()),
                         [](const auto& trace) { return trace.param; });

}  // namespace
}  // namespace kvmsentry
