// The rows of an mmapable array map, mapped into this process as far as they are in use: mapping a
// row makes its page count as this process's memory, and most tables are nearly empty.
#pragma once

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/base/fd.h"
#include "sensor/base/ids.h"
#include "sensor/base/load.h"
#include "sensor/base/status.h"
#include "sensor/probe/mapped_rows.h"

namespace kvmsentry {

// The bits of a table's rows in use: programs set them when they take a slot, user space clears
// them when it frees one. Move-only.
class RowsInUse {
 public:
  static absl::StatusOr<RowsInUse> Map(int map_fd, size_t rows, absl::string_view name) {
    RowsInUse used;
    KVMSENTRY_ASSIGN_OR_RETURN(used.words_,
                               MappedRows<uint64_t>::Map(map_fd, (rows + 63) / 64, name));
    return used;
  }

  std::span<uint64_t> words() const { return words_.rows(); }
  bool Has(Slot slot) const { return (Load(words()[slot / 64]) >> (slot % 64) & 1) != 0; }
  void Set(Slot slot) { __atomic_fetch_or(&words()[slot / 64], Bit(slot), __ATOMIC_SEQ_CST); }
  void Clear(Slot slot) { __atomic_fetch_and(&words()[slot / 64], ~Bit(slot), __ATOMIC_SEQ_CST); }

  // The first slot in use from SLOT on; END where there is none.
  Slot Next(Slot slot, Slot end) const {
    while (slot < end) {
      const uint64_t rest = Load(words()[slot / 64]) >> (slot % 64);
      if (rest != 0) {
        slot += static_cast<Slot>(std::countr_zero(rest));
        return slot < end ? slot : end;
      }
      slot = (slot / 64 + 1) * 64;
    }
    return end;
  }

 private:
  static uint64_t Bit(Slot slot) { return uint64_t{1} << (slot % 64); }
  MappedRows<uint64_t> words_;
};

// Move-only. Rows may be looked at by several threads, and stay where they are: two that map the
// same rows at once map the same pages.
template <typename Row>
class RowTable {
 public:
  // COUNT rows of MAP_FD, of which USED says which are in use; USED outlives the table.
  static absl::StatusOr<RowTable> Map(int map_fd, size_t count, absl::string_view name) {
    RowTable table;
    table.fd_ = Fd(fcntl(map_fd, F_DUPFD_CLOEXEC, 0));
    if (!table.fd_) return absl::ErrnoToStatus(errno, absl::StrCat("map ", name));
    void* start = mmap(nullptr, Bytes(count), PROT_NONE, kReserved, -1, /*offset=*/0);
    if (start == MAP_FAILED) return absl::ErrnoToStatus(errno, absl::StrCat("mmap of map ", name));
    table.rows_ = static_cast<Row*>(start);
    table.count_ = count;
    table.mapped_.resize((count + kChunk - 1) / kChunk);
    return table;
  }

  RowTable() = default;
  RowTable(RowTable&& other) noexcept { *this = std::move(other); }
  RowTable& operator=(RowTable&& other) noexcept {
    std::swap(rows_, other.rows_);
    std::swap(count_, other.count_);
    std::swap(fd_, other.fd_);
    std::swap(mapped_, other.mapped_);
    std::swap(failed_, other.failed_);
    return *this;
  }
  ~RowTable() {
    if (rows_ != nullptr) munmap(rows_, Bytes(count_));
  }

  size_t size() const { return count_; }

  // SLOT < size(). Where the kernel refuses the mapping, rows of zeros are in its place, and
  // failed() says so.
  Row& operator[](Slot slot) const {
    if (Load(mapped_[slot / kChunk]) == 0) MapChunk(slot / kChunk);
    return rows_[slot];
  }
  bool failed() const { return Load(failed_) != 0; }

  // No row counts as this process's memory until it is looked at again: for tables that are visited
  // now and then. Nobody may hold a row.
  void GiveBack() {
    for (size_t chunk = 0; chunk < mapped_.size(); ++chunk) {
      if (mapped_[chunk] == 0) continue;
      const Pages pages = PagesOf(chunk);
      if (mmap(pages.rows, pages.bytes, PROT_NONE, kReserved | MAP_FIXED, -1, 0) != MAP_FAILED) {
        mapped_[chunk] = 0;
      }
    }
  }

 private:
  // As many rows as a word of RowsInUse has bits; always whole pages.
  static constexpr size_t kChunk = 64;
  static_assert(sizeof(Row) % 64 == 0, "a chunk must be whole pages");
  // Addresses without memory.
  static constexpr int kReserved = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

  struct Pages {
    Row* rows;
    size_t bytes;
    off_t offset;
  };

  static size_t Bytes(size_t rows) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    return (rows * sizeof(Row) + page - 1) / page * page;
  }

  Pages PagesOf(size_t chunk) const {
    const size_t first = chunk * kChunk;
    return {.rows = rows_ + first,
            .bytes = Bytes(std::min(kChunk, count_ - first)),
            .offset = static_cast<off_t>(first * sizeof(Row))};
  }

  void MapChunk(size_t chunk) const {
    const Pages pages = PagesOf(chunk);
    constexpr int kBoth = PROT_READ | PROT_WRITE;
    if (mmap(pages.rows, pages.bytes, kBoth, MAP_SHARED | MAP_FIXED, fd_.get(), pages.offset) ==
        MAP_FAILED) {
      __atomic_store_n(&failed_, 1, __ATOMIC_RELEASE);
      mmap(pages.rows, pages.bytes, kBoth, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }
    __atomic_store_n(&mapped_[chunk], 1, __ATOMIC_RELEASE);
  }

  Row* rows_ = nullptr;
  size_t count_ = 0;
  Fd fd_;
  mutable std::vector<uint8_t> mapped_;  // which chunks are
  mutable uint8_t failed_ = 0;
};

// The rows in use of a table, in the order of slots: for (const auto& row : RowsOf(table, used)).
template <typename Row>
class UsedRows {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Row;
    using difference_type = std::ptrdiff_t;
    using pointer = Row*;
    using reference = Row&;
    Iterator(const UsedRows* rows, Slot slot) : rows_(rows), slot_(slot) {}
    Row& operator*() const { return (*rows_->table_)[slot_]; }
    Iterator& operator++() {
      slot_ = rows_->used_->Next(slot_ + 1, rows_->End());
      return *this;
    }
    bool operator==(const Iterator& other) const { return slot_ == other.slot_; }
    Slot slot() const { return slot_; }

   private:
    const UsedRows* rows_;
    Slot slot_;
  };

  UsedRows(const RowTable<std::remove_const_t<Row>>& table, const RowsInUse& used)
      : table_(&table), used_(&used) {}
  Iterator begin() const { return {this, used_->Next(0, End())}; }
  Iterator end() const { return {this, End()}; }
  size_t size() const { return table_->size(); }  // of the whole table
  Row& operator[](Slot slot) const { return (*table_)[slot]; }

 private:
  Slot End() const { return static_cast<Slot>(table_->size()); }
  const RowTable<std::remove_const_t<Row>>* table_;
  const RowsInUse* used_;
};

}  // namespace kvmsentry
