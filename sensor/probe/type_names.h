// The names of the kernel's types and functions, for many look-ups: libbpf's own walks over all
// types, some hundred thousand, each time.
#pragma once

#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

struct btf;

namespace kvmsentry {

// Not thread safe.
class TypeNames {
 public:
  // Notes the structs, unions, typedefs and functions of TYPES, from the type with number FROM on.
  // TYPES, unchanged, outlives the names.
  void Add(const btf& types, uint32_t from = 1);

  // Whether there is a type of KIND (BTF_KIND_FUNC, ...) with NAME.
  bool Has(absl::string_view name, uint32_t kind) const { return NumberOf(name, kind) != 0; }
  // Its number; 0 without. Of several the first.
  uint32_t NumberOf(absl::string_view name, uint32_t kind) const {
    const auto found = names_.find({name, kind});
    return found == names_.end() ? 0 : found->second;
  }

 private:
  absl::flat_hash_map<std::pair<absl::string_view, uint32_t>, uint32_t> names_;
};

}  // namespace kvmsentry
