// RAII over a libbpf object: open from memory, choose programs, load, attach.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"
#include "sensor/probe/loaded_object.h"
#include "sensor/probe/map_plan.h"

struct bpf_link;
struct bpf_map;
struct bpf_object;
struct bpf_program;

namespace kvmsentry {

// Detaches and closes on destruction; pinned maps stay. Move-only, not thread safe.
class BpfObject {
 public:
  // The object in BYTES, an ELF file, with its maps sized and to be shared through pins as PLAN
  // says, which outlives it, and with no program chosen yet. NAME is for messages.
  static absl::StatusOr<BpfObject> Open(absl::string_view name, std::span<const char> bytes,
                                        const MapPlan& plan);
  // The object of all programs of SOURCE.
  static absl::StatusOr<BpfObject> Open(const BpfSource& source, const MapPlan& plan);

  // Loads only the programs named. RESOURCE_EXHAUSTED where the kernel has no memory for a map.
  absl::Status Load(const std::vector<std::string>& programs);
  // The program that Load() failed for; empty where it failed for something else.
  const std::string& refused() const { return refused_; }
  absl::Status Attach(const std::string& program);
  // Ends what Attach() began; nothing where the program is not attached.
  void Detach(const std::string& program);
  // Detaches PROGRAM, and hands it over to nobody.
  void Drop(const std::string& program);

  // Duplicates its descriptors for another owner, to whom it is the object NUMBER: those of its
  // programs and links, and of its maps if MAPS says so. It stays attached as long as any of the
  // two owners has them.
  enum class Maps { kNone, kToo };
  absl::StatusOr<LoadedObject> HandOver(uint32_t number, Maps maps) const;
  // The same of the link of PROGRAM, which is attached.
  absl::StatusOr<LoadedLink> HandOverLink(const std::string& program) const;

  // The programs that were loaded.
  const std::vector<std::string>& programs() const { return loaded_; }
  // Descriptors, owned by the object; negative where there is none of that name.
  int MapFd(const std::string& name) const;
  int ProgramFd(const std::string& program) const;

 private:
  absl::Status MapRefused(const bpf_map& map, int error) const;
  absl::Status Freeze();

  struct Deleter {
    void operator()(bpf_object* object) const;
    void operator()(bpf_link* link) const;
  };

  std::string name_;
  const MapPlan* plan_ = nullptr;
  std::unique_ptr<bpf_object, Deleter> object_;
  struct Attached {
    std::string program;
    std::unique_ptr<bpf_link, Deleter> link;
  };
  std::vector<Attached> links_;
  std::vector<std::string> loaded_;
  std::string refused_;
};

// The version of the libbpf in use: "1.1".
std::string LibbpfVersion();

// From now on what libbpf says goes into its log, no more to standard error.
void KeepLibbpfLog();

// What libbpf and the verifier said since the last call; for error messages.
std::string TakeLibbpfLog();

// The program of PROGRAMS that LOG, libbpf's, blames: libbpf loads them in order, and stops at the
// first that fails. Empty where it blames another, or none. Pure.
std::string RefusedProgram(absl::string_view log, std::span<const std::string> programs);

}  // namespace kvmsentry
