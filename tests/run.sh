#!/bin/bash
# Builds and runs the tests. Installs what it needs.
#
#   tests/run.sh [unit|bpf|e2e|sanitizers|all]
#
#   unit        no privilege
#   bpf         the programs in the kernel, counting real guests     (root, /dev/kvm)
#   e2e         daemon, guests and client as separate processes      (root, /dev/kvm)
#   sanitizers  unit tests and one e2e with ASan/UBSan and with TSan (root, /dev/kvm)
#   all         all of these (default)
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
source deploy/host.sh

jobs=${JOBS:-$(nproc)}
export GTEST_COLOR=no

build() { # PRESET [TARGET...]
  cmake --preset "$1" >/dev/null
  cmake --build --preset "$1" ${2:+--target "${@:2}"} -- -j"$jobs"
}

run() { # PRESET LABEL-REGEX [CTEST-ARGUMENT...]
  ctest --test-dir "build/$1" -L "$2" --output-on-failure --no-tests=error -j"$jobs" "${@:3}"
}

sanitizers() {
  prepare_host
  for preset in asan-ubsan tsan; do
    build "$preset" unit_tests e2e_test
    run "$preset" 'unit|sanitized'
  done
}

what=${1:-all}
case $what in
  -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  unit | bpf | e2e | sanitizers | all) ;;
  *) fail "unknown tests '$what'; one of unit, bpf, e2e, sanitizers, all" ;;
esac
[[ $what == unit ]] || prepare_host
deploy/install-packages.sh
case $what in
  sanitizers) sanitizers ;;
  all)
    build release
    run release 'unit|bpf|e2e'
    sanitizers
    ;;
  *)
    build release
    run release "$what"
    ;;
esac
