#!/bin/bash
# Builds and runs the tests. Installs what it needs.
#
#   tests/run.sh [unit|bpf|e2e|scenario|lab|sanitizers|all] [--full] [--without-lab]
#
#   unit        no privilege
#   bpf         the programs in the kernel, counting real guests     (root, /dev/kvm)
#   e2e         daemon, guests and client as separate processes      (root, /dev/kvm)
#   scenario    the scenarios that can run on this host              (root, /dev/kvm)
#   lab         bpf, e2e, all scenarios on a second kernel, in QEMU  (root)
#   sanitizers  unit tests and one e2e with ASan/UBSan and with TSan (root, /dev/kvm)
#   all         all of these (default)
#
#   --full         all that can run in the lab, not the selection that every change must pass
#   --without-lab  leaves the lab out, where its packages cannot be had
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

# A boot that had to be repeated is never hidden.
run_lab() {
  local retries=build/lab/retries.log labels='^lab$'
  if [[ -z $lab ]]; then
    echo "run.sh: the lab is left out, as asked for" >&2
    return
  fi
  [[ -n $full ]] && labels='^lab'
  tests/lab/prepare >/dev/null
  rm -f "$retries"
  local ended=0
  run release "$labels" || ended=$?
  if [[ -s $retries ]]; then
    echo "run.sh: boots of the lab that hung and were repeated:" >&2
    cat "$retries" >&2
  fi
  return "$ended"
}

sanitizers() {
  prepare_host
  for preset in asan-ubsan tsan; do
    build "$preset" unit_tests e2e_test
    run "$preset" 'unit|sanitized'
  done
}

what=all full='' lab=yes
for argument in "$@"; do
  case $argument in
    --full) full=yes ;;
    --without-lab) lab='' ;;
    *) what=$argument ;;
  esac
done
case $what in
  -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  unit | bpf | e2e | scenario | lab | sanitizers | all) ;;
  *) fail "unknown tests '$what'; one of unit, bpf, e2e, scenario, lab, sanitizers, all" ;;
esac
[[ $what == unit || $what == lab ]] || prepare_host
deploy/install-packages.sh
case $what in
  sanitizers) sanitizers ;;
  lab)
    build release
    run_lab
    ;;
  all)
    tests/lint.sh
    build release
    run release 'unit|bpf|e2e|scenario'
    run_lab
    sanitizers
    ;;
  *)
    build release
    run release "$what"
    ;;
esac
