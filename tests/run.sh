#!/bin/bash
# Builds and runs the tests. Installs what it needs, as root; else it says what is missing. JOBS=N: so many jobs at once,
# else as many as there are CPUs.
#
#   tests/run.sh [unit|bpf|e2e|scenario|lab|sanitizers|all] [--full] [--kernel VERSION] [--without-kvm] [--without-lab]
#
#   unit        no privilege, once the packages of deploy/packages.txt are installed
#   bpf         the programs in the kernel, counting real guests     (root, /dev/kvm)
#   e2e         daemon, guests and client as separate processes      (root, /dev/kvm)
#   scenario    the scenarios that can run on this host              (root, /dev/kvm)
#   lab         bpf, e2e, all scenarios on other kernels, in QEMU    (root)
#   sanitizers  unit tests and one e2e with ASan/UBSan and with TSan (root, /dev/kvm)
#   all         all of these (default)
#
#   --full         all that can run in the lab, on each of its kernels, not the selection that every change must pass
#   --kernel V     of the lab only the boots of one kernel, 6.1, 6.12 or newest: with --full an hour or more each, on two processors
#   --without-kvm  for a host without /dev/kvm: tests that start a guest run in the lab instead, but the one with sanitizers
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
run_lab() { # LABEL-REGEX [CTEST-ARGUMENT...]
  local retries=build/lab/retries.log times=build/lab/times.log labels=$1 version
  if [[ -z $lab ]]; then
    echo "run.sh: the lab is left out, as asked for" >&2
    return
  fi
  [[ -n $full ]] && labels='^lab'
  local boots=()
  case $kernel in
    '') ;;
    6.1) boots=(-E '\.(6\.12|newest|5\.10)$') ;; # the boots of the first kernel do not name it
    *) boots=(-R "\\.${kernel//./\\.}\$") ;;
  esac
  for version in 6.1 5.10 6.12 newest; do tests/lab/prepare --kernel "$version" >/dev/null; done
  rm -f "$retries" "$times"
  local ended=0
  run release "$labels" "${boots[@]}" "${@:2}" || ended=$?
  echo "run.sh: the lab's boots (seconds, of them busy, kernel, command):" >&2
  sort -rn "$times" >&2 || true
  if [[ -s $retries ]]; then
    echo "run.sh: boots of the lab that hung and were repeated:" >&2
    cat "$retries" >&2
  fi
  return "$ended"
}

# The tests of SUITES, a regular expression, that need the kernel.
run_kernel() {
  if [[ -n $kvm ]]; then
    run release "$1"
    return
  fi
  echo "run.sh: without /dev/kvm, as asked for: only tests without a guest run on this host, the others in the lab" >&2
  run release "^($1)-guestless$"
}

sanitizers() {
  local labels='unit|sanitized'
  if [[ -z $kvm ]]; then
    echo "run.sh: without /dev/kvm, as asked for: no e2e test runs with sanitizers" >&2
    labels=unit
  fi
  for preset in asan-ubsan tsan; do
    build "$preset" unit_tests ${kvm:+e2e_test}
    run "$preset" "$labels"
  done
}

what=all full='' kernel='' lab=yes kvm='have the tests with guests run in the lab: --without-kvm'
while [[ $# -gt 0 ]]; do
  case $1 in
    --full) full=yes ;;
    --kernel) kernel=${2:?--kernel needs a version: 6.1, 6.12 or newest}; shift ;;
    --without-kvm) kvm='' ;;
    --without-lab) lab='' ;;
    *) what=$1 ;;
  esac
  shift
done
case $what in
  -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  unit | bpf | e2e | scenario | lab | sanitizers | all) ;;
  *) fail "unknown tests '$what'; one of unit, bpf, e2e, scenario, lab, sanitizers, all" ;;
esac
[[ -n $kvm || -n $lab ]] || fail "--without-kvm has the tests with guests run in the lab; --without-lab leaves them out"
case $what in
  unit | lab) ;;
  *) prepare_host "${kvm:---without-kvm}" ;;
esac
deploy/install-packages.sh
case $what in
  sanitizers) sanitizers ;;
  lab)
    build release
    run_lab '^lab$'
    ;;
  all)
    tests/lint.sh
    build release
    run release unit
    run_kernel 'bpf|e2e|scenario'
    if [[ -n $kvm ]]; then run_lab '^lab$'; else run_lab '^lab(-guests)?$'; fi
    sanitizers
    ;;
  bpf | e2e | scenario)
    build release
    [[ -z $kvm && $what == scenario ]] || run_kernel "$what"
    [[ -n $kvm ]] || run_lab '^lab(-guests)?$' -R "^lab\.$what"
    ;;
  unit)
    build release
    run release unit
    ;;
esac
