// The rows of an mmapable array map, mapped into this process.
#pragma once

#include <cerrno>
#include <span>
#include <type_traits>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include "sensor/base/status.h"

namespace kvmsentry {

// Unmaps itself. Move-only. Of a const Row the rows can only be read, as a frozen map's must.
template <typename Row>
class MappedRows {
 public:
  static absl::StatusOr<MappedRows> Map(int map_fd, size_t count, absl::string_view name) {
    constexpr int kProtection = std::is_const_v<Row> ? PROT_READ : PROT_READ | PROT_WRITE;
    void* start = mmap(nullptr, Bytes(count), kProtection, MAP_SHARED, map_fd, /*offset=*/0);
    if (start == MAP_FAILED) return absl::ErrnoToStatus(errno, absl::StrCat("mmap of map ", name));
    MappedRows mapped;
    mapped.rows_ = {static_cast<Row*>(start), count};
    return mapped;
  }

  MappedRows() = default;
  // Of COUNT rows at START, mapped by the caller: from here on they are this object's.
  MappedRows(Row* start, size_t count) : rows_(start, count) {}
  MappedRows(MappedRows&& other) noexcept : rows_(std::exchange(other.rows_, {})) {}
  MappedRows& operator=(MappedRows&& other) noexcept {
    std::swap(rows_, other.rows_);
    return *this;
  }
  ~MappedRows() {
    if (!rows_.empty())
      munmap(const_cast<std::remove_const_t<Row>*>(rows_.data()), Bytes(rows_.size()));
  }

  std::span<Row> rows() const { return rows_; }

 private:
  static size_t Bytes(size_t count) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    return (count * sizeof(Row) + page - 1) / page * page;
  }

  std::span<Row> rows_;
};

}  // namespace kvmsentry
