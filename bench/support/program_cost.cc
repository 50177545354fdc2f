#include "bench/support/program_cost.h"

#include <cerrno>

#include <bpf/bpf.h>

namespace kvmsentry {

absl::StatusOr<Fd> EnableProgramStats() {
  Fd stats(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (!stats) return absl::ErrnoToStatus(errno, "switching BPF statistics on");
  return stats;
}

std::map<std::string, ProgramStats> ReadProgramStats() {
  std::map<std::string, ProgramStats> all;
  for (uint32_t id = 0; bpf_prog_get_next_id(id, &id) == 0;) {
    const Fd program(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info{};
    uint32_t length = sizeof(info);
    if (!program || bpf_obj_get_info_by_fd(program.get(), &info, &length) != 0) continue;
    ProgramStats& stats = all[info.name];
    stats.runs += info.run_cnt;
    stats.ns += info.run_time_ns;
  }
  return all;
}

}  // namespace kvmsentry
