// Loads and attaches by libbpf, in this process: the best variant of each hook that works here.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sensor/probe/bpf_object.h"
#include "sensor/probe/kernel.h"
#include "sensor/probe/loader.h"
#include "sensor/probe/strays.h"

namespace kvmsentry {

class LibbpfLoader final : public Loader {
 public:
  // SOURCES outlive it.
  LibbpfLoader(const ProbeOptions& options, std::vector<const BpfSource*> sources);

  absl::StatusOr<Prepared> Prepare() override;
  absl::StatusOr<Attached> Attach(std::span<const Hook* const> hooks) override;
  absl::StatusOr<LoadedLink> Reattach(uint32_t object, uint32_t program) override;
  absl::Status Detach(uint32_t object, uint32_t program) override;
  absl::StatusOr<Fd> CountRunTimes() override;

 private:
  absl::Status MakeMaps(Prepared* prepared);
  // Keeps OBJECT, and duplicates its descriptors.
  absl::StatusOr<LoadedObject> HandOver(BpfObject object, BpfObject::Maps maps);
  // HOOKS are of SOURCE.
  absl::Status AttachOf(const BpfSource& source, std::span<const Hook* const> hooks,
                        const Kernel& kernel, Attached* attached);
  // A program that was handed over, and its object.
  absl::StatusOr<std::pair<BpfObject*, std::string>> Find(uint32_t object, uint32_t program);

  const ProbeOptions options_;
  const MapPlan plan_;
  std::optional<Kernel> kernel_;    // as inspected for the next Attach()
  std::unique_ptr<Strays> strays_;  // since the maps were made; null: they cannot be asked for
  std::deque<BpfObject> objects_;   // by their number
  std::set<const Hook*> attached_;
};

}  // namespace kvmsentry
