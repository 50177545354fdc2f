#!/bin/bash
# Builds and runs the benchmarks and prints their figures, with machine and kernel. Needs root and
# /dev/kvm; a machine that does something else gives figures of that.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
source deploy/host.sh
prepare_host
deploy/install-packages.sh
cmake --preset release >/dev/null
cmake --build --preset release --target bench_engine bench_hook_cost bench_guest_cost bench_daemon_cost bench_resource_cost bench_bystander_cost bench_fanout -- -j"$(nproc)" >/dev/null

echo "machine: $(sed -n 's/^model name\t: //p' /proc/cpuinfo | head -1), $(nproc) CPUs, load $(cut -d' ' -f1-3 /proc/loadavg)"
echo "kernel:  $(uname -r), KVM: $(basename -a /sys/module/kvm_* | tr '\n' ' ')"
echo
echo "== nanoseconds a run of the hot programs, above an empty program on the same tracepoint"
build/release/bench/hooks/bench_hook_cost
echo
echo "== a guest's wall time"
build/release/bench/guest/bench_guest_cost
echo
echo "== system calls of a process that has no VM"
build/release/bench/bystander/bench_bystander_cost
echo
echo "== what VMs use: the pass over them, and a look at who runs instead"
build/release/bench/resource/bench_resource_cost
echo
echo "== the daemon itself, with 300 guests; bench_daemon_cost 1000 for a host that holds so many"
build/release/bench/daemon/bench_daemon_cost 300 512
echo
echo "== the engine"
build/release/bench/bench_engine 2>/dev/null
echo
echo "== 1,000 subscribers at 1,000 alerts a second, 10 of which do not read"
build/release/bench/fanout/bench_fanout
