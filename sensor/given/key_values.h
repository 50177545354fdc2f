// "a=b,c=d" and JSON objects, as VMMs take them on their command lines, in one form. All of it is
// untrusted: lengths, counts and depth are bounded, and what is malformed gives what can be read of
// it, never an error, for the VMM itself may have read it in a way of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace kvmsentry {

class KeyValues {
 public:
  // QEMU's form (util/qemu-option.c): a doubled comma is one in a value; the first item may lack
  // its key, which is then IMPLIED; a later one without a value is a flag, "on", or with a leading
  // "no", "off".
  static KeyValues OfQemu(absl::string_view text, absl::string_view implied);

  // Of cloud-hypervisor, crosvm and virtiofsd: commas within [brackets] and "quotes" separate
  // nothing (cloud-hypervisor's option_parser). An item without a value is "true"; the first may be
  // IMPLIED's.
  static KeyValues OfList(absl::string_view text, absl::string_view implied = "");

  // A JSON object; what is nested has keys with dots: {"file":{"filename":"x"}} is file.filename=x,
  // and elements of arrays are numbered, as QEMU flattens them. nullopt: not an object.
  static std::optional<KeyValues> OfJson(absl::string_view text);

  // OfJson where TEXT begins with a brace, as QEMU decides, else OfQemu.
  static KeyValues OfEither(absl::string_view text, absl::string_view implied);

  // The value of the last item of that name, as QEMU has it; "" where there is none.
  const std::string& Get(absl::string_view key) const&;
  std::string Get(absl::string_view key) const&& { return Get(key); }  // no reference outlives it
  bool Has(absl::string_view key) const;
  std::optional<bool> GetFlag(absl::string_view key) const;
  std::optional<uint64_t> GetNumber(absl::string_view key) const;
  // UNIT is of a number without a suffix.
  std::optional<uint64_t> GetSize(absl::string_view key, uint64_t unit = 1) const;

  using Item = std::pair<std::string, std::string>;
  const std::vector<Item>& items() const& { return items_; }

  static constexpr size_t kMaxItems = 512;
  static constexpr size_t kMaxValue = 8192;
  static constexpr int kMaxDepth = 16;

 private:
  friend class JsonFlattener;
  void Add(absl::string_view key, absl::string_view value);

  std::vector<Item> items_;
};

// "on", "yes", "true", "y", "1" and their opposites.
std::optional<bool> ParseFlag(absl::string_view text);
// Decimal or 0x...; no sign.
std::optional<uint64_t> ParseNumber(absl::string_view text);
// A number, perhaps with a fraction and one of the suffixes b, k, m, g, t, p, e of either case,
// with "i", "ib" or "b" after them (util/cutils.c, do_strtosz). nullopt where it is none or too
// large.
std::optional<uint64_t> ParseSize(absl::string_view text, uint64_t unit = 1);

}  // namespace kvmsentry
