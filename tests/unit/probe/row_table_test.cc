// On an ordinary file in memory: an array map is mapped alike.
#include "sensor/probe/row_table.h"

#include <array>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Row {
  std::array<uint64_t, 128> words;  // 1 KiB: 64 of them are 16 pages
};
constexpr size_t kRows = 1000;  // the last chunk is not a whole one

class RowTableTest : public ::testing::Test {
 protected:
  RowTableTest()
      : rows_fd_(memfd_create("rows", MFD_CLOEXEC)), used_fd_(memfd_create("used", MFD_CLOEXEC)) {
    EXPECT_EQ(ftruncate(rows_fd_.get(), (kRows * sizeof(Row) + 4095) / 4096 * 4096), 0);
    EXPECT_EQ(ftruncate(used_fd_.get(), 4096), 0);
    auto table = RowTable<Row>::Map(rows_fd_.get(), kRows, "rows");
    auto used = RowsInUse::Map(used_fd_.get(), kRows, "used");
    EXPECT_TRUE(table.ok() && used.ok());
    table_ = *std::move(table);
    used_ = *std::move(used);
  }

  std::vector<Slot> Slots() const {
    std::vector<Slot> slots;
    const UsedRows<const Row> rows(table_, used_);
    for (auto row = rows.begin(); row != rows.end(); ++row) slots.push_back(row.slot());
    return slots;
  }

  // Shared pages of the file that are mapped here: how much memory the rows take of this process.
  size_t MappedBytes() const {
    std::ifstream maps("/proc/self/maps");
    size_t bytes = 0;
    for (std::string line; std::getline(maps, line);) {
      if (line.find("/memfd:rows") == std::string::npos) continue;
      bytes +=
          std::stoul(line.substr(line.find('-') + 1), nullptr, 16) - std::stoul(line, nullptr, 16);
    }
    return bytes;
  }

  Fd rows_fd_, used_fd_;
  RowTable<Row> table_;
  RowsInUse used_;
};

TEST_F(RowTableTest, NothingIsMappedUntilARowIsInUse) {
  EXPECT_THAT(Slots(), IsEmpty());
  EXPECT_EQ(MappedBytes(), 0U);
  used_.Set(130);
  for (const Row& row : UsedRows<const Row>(table_, used_)) EXPECT_EQ(row.words[0], 0U);
  EXPECT_EQ(MappedBytes(), 64 * sizeof(Row));
}

TEST_F(RowTableTest, RowsGivenBackTakeNoMemoryAndAreFoundAgain) {
  table_[130].words[5] = 7;
  table_[999].words[0] = 8;
  table_.GiveBack();
  EXPECT_EQ(MappedBytes(), 0U);
  table_.GiveBack();
  EXPECT_EQ(table_[130].words[5], 7U);
  EXPECT_EQ(MappedBytes(), 64 * sizeof(Row));
  EXPECT_EQ(table_[999].words[0], 8U);
  EXPECT_FALSE(table_.failed());
}

TEST_F(RowTableTest, RowsInUseAreFoundInTheirOrderAndFreedOnesAreNot) {
  for (const Slot slot : {999U, 0U, 63U, 64U, 500U}) used_.Set(slot);
  EXPECT_THAT(Slots(), ElementsAre(0, 63, 64, 500, 999));
  used_.Clear(64);
  used_.Clear(0);
  EXPECT_THAT(Slots(), ElementsAre(63, 500, 999));
  EXPECT_TRUE(used_.Has(63));
  EXPECT_FALSE(used_.Has(64));
}

// A bit beyond the table, in its last word, is nobody's.
TEST_F(RowTableTest, ABitBeyondTheLastRowIsPassedOver) {
  used_.words()[kRows / 64] = ~uint64_t{0} << (kRows % 64);
  EXPECT_THAT(Slots(), IsEmpty());
}

TEST_F(RowTableTest, EachRowIsTheOneAtItsPlaceInTheMap) {
  for (const Slot slot : {0U, 63U, 64U, 999U}) {
    table_[slot].words[5] = slot + 1;
    uint64_t read = 0;
    ASSERT_EQ(pread(rows_fd_.get(), &read, sizeof(read),
                    static_cast<off_t>(slot * sizeof(Row) + 5 * sizeof(uint64_t))),
              static_cast<ssize_t>(sizeof(read)));
    EXPECT_EQ(read, slot + 1);
  }
  EXPECT_FALSE(table_.failed());
}

}  // namespace
}  // namespace kvmsentry
