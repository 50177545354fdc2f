// What the running kernel offers, by asking it, never by its version number.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/probe/hooks.h"
#include "sensor/probe/type_names.h"

struct btf;

namespace kvmsentry {

// Not thread safe.
class Kernel {
 public:
  // Fails where the kernel has no BTF, or its BPF is too old: then nothing of the sensor can be
  // loaded.
  // HOOKS are all that there are.
  static absl::StatusOr<Kernel> Inspect(std::span<const Hook* const> hooks);

  // Whether KVM is built in or loaded; a module may come later.
  static bool HasKvm();

  // OK if VARIANT of HOOK looks possible; else the reason why not: UNIMPLEMENTED where nothing here
  // raises it, UNAVAILABLE where its module is not loaded.
  absl::Status Offers(const Hook& hook, Variant variant) const;

  // What a program attaches to: its number, and the module whose types have it (0: the kernel's
  // own). Number 0 where nothing of KIND has that NAME.
  struct Target {
    uint32_t number = 0;
    int module = 0;  // a descriptor of the module's types; the Kernel's
  };
  Target TargetOf(absl::string_view name, uint32_t kind) const;

  // Whether tasks can be preempted amid programs on tracepoints, and so amid those on functions
  // that are no probes.
  bool preempts_programs() const { return preempts_programs_; }

  // The functions of HOOK's with_if_there and superseded_by that this kernel has not.
  std::vector<absl::string_view> AbsentOf(const Hook& hook) const;

 private:
  struct BtfDeleter {
    void operator()(btf* types) const;
  };
  using BtfPtr = std::unique_ptr<btf, BtfDeleter>;

  bool HasInVmlinux(absl::string_view name, uint32_t kind) const;
  bool Has(absl::string_view name, uint32_t kind) const;
  bool IteratesOverOneProcess() const;
  void NoteNamesakes(const btf& types, std::span<const Hook* const> hooks);
  absl::Status HasFunction(const Hook& hook) const;
  absl::Status HasFunctionNamed(absl::string_view function) const;
  absl::Status HasTypesOf(const Hook& hook) const;
  absl::Status HasKvmFor(const Hook& hook) const;

  BtfPtr vmlinux_;
  TypeNames vmlinux_names_;
  absl::Status trampolines_;
  absl::Status kprobes_;
  bool preempts_programs_ = false;
  // KVM's, vhost's and so on, as far as they are loaded.
  struct Module {
    BtfPtr types;
    TypeNames names;
    Fd fd;
  };
  std::vector<Module> modules_;
  // Functions that another module has, too: handle_tx is also caif_serial's. The kernel's loader
  // looks for a function by its name alone.
  std::vector<absl::string_view> ambiguous_;
};

}  // namespace kvmsentry
