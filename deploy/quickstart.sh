#!/bin/bash
# Builds kvmsentry, starts it on this host, and shows it at work: two guests of the project's own, one
# calm and one hostile, beside whatever VMs already run.
#
#   deploy/quickstart.sh [--seconds N] [--no-guests] [--keep]
#
#   --seconds N   how long to watch (default 15)
#   --no-guests   only the VMs that already run
#   --keep        leave the daemon running
#
# JOBS=N in the environment: so many files are compiled at once, else as many as there are CPUs.
#
# Exits 0 only if every alert that the hostile guest must cause reached the client, and the calm one
# caused none.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
source deploy/host.sh

seconds=15 guests=1 keep=0
while [[ $# -gt 0 ]]; do
  case $1 in
    --seconds) seconds=${2:-}; shift ;;
    --no-guests) guests=0 ;;
    --keep) keep=1 ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) fail "unknown option '$1'; see --help" ;;
  esac
  shift
done
[[ $seconds =~ ^[1-9][0-9]{0,3}$ ]] || fail "--seconds wants a number from 1 to 9999, not '$seconds'"

# What port accesses as fast as they go, to the floppy controller's FIFO, must cause.
expected=(pio-storm pio-burst floppy-fifo)
socket=/run/kvmsentry/kvmsentry.sock
pins=/sys/fs/bpf/kvmsentry
bin=build/release

prepare_host
deploy/install-packages.sh build
echo "== building"
cmake --preset release >/dev/null
cmake --build --preset release --target kvmsentryd kvmsentry kvmsentry-test-guest -- -j"${JOBS:-$(nproc)}"
client=("$bin/sensor/cli/kvmsentry" --socket "$socket")
# Else its alerts would be taken for those of the daemon that is started here.
if "${client[@]}" vms >/dev/null 2>&1; then
  fail "a kvmsentryd serves on $socket already; stop it first"
fi
had_pins=0
[[ ! -e $pins ]] || had_pins=1

work=$(mktemp -d)
daemon='' others=()
clean_up() {
  trap - EXIT
  trap '' INT TERM
  for pid in "${others[@]}"; do kill "$pid" 2>/dev/null || true; done
  if [[ -n $daemon && $keep -eq 0 ]]; then
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
    # An earlier daemon's counts are not ours to remove.
    [[ $had_pins -eq 1 ]] || "$bin/sensor/daemon/kvmsentryd" --unpin || true
  fi
  if [[ $keep -eq 1 ]]; then rm -f "$work/alerts.json"; else rm -rf "$work"; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

wait_until() { # WHAT COMMAND...
  for _ in $(seq 100); do
    "${@:2}" >/dev/null 2>&1 && return
    if [[ -n $daemon ]] && ! kill -0 "$daemon" 2>/dev/null; then break; fi
    sleep 0.1
  done
  cat "$work/daemon.log" >&2
  fail "$1"
}

echo "== starting the daemon"
if [[ $keep -eq 1 ]]; then
  setsid "$bin/sensor/daemon/kvmsentryd" --specs specs >"$work/daemon.log" 2>&1 &
else
  "$bin/sensor/daemon/kvmsentryd" --specs specs >"$work/daemon.log" 2>&1 &
fi
daemon=$!
wait_until "the daemon did not start" "${client[@]}" vms

"${client[@]}" alerts --follow --json >"$work/alerts.json" &
others+=($!)
wait_until "the client got no stream" test -s "$work/alerts.json"
echo "== alerts, as a client in another process gets them"
"${client[@]}" alerts --follow &
others+=($!)

if [[ $guests -eq 1 ]]; then
  guest() { # NAME OPTION...
    "$bin/tests/guest/kvmsentry-test-guest" --name "$1" --seconds $((seconds + 60)) "${@:2}" &
    others+=($!)
  }
  guest quickstart-calm --behaviour calm
  guest quickstart-hostile --behaviour pio --port 0x3f5
fi
# A signal ends a wait at once, but not a sleep in the foreground.
sleep "$seconds" &
others+=($!)
wait $!

echo
echo "== VMs"
"${client[@]}" vms
echo
echo "== coverage"
"${client[@]}" status || (($? < 3)) # 1 and 2 say what is not well here
[[ $guests -eq 1 ]] || exit 0

echo
result=0
for spec in "${expected[@]}"; do
  if grep '"state":"OPEN"' "$work/alerts.json" | grep "\"spec_id\":\"$spec\"" |
    grep -q '"name":"quickstart-hostile"'; then
    echo "reached the client: $spec of the hostile guest"
  else
    echo "MISSING: $spec of the hostile guest"
    result=1
  fi
done
if grep -q '"name":"quickstart-calm"' "$work/alerts.json"; then
  echo "WRONG: an alert of the calm guest"
  result=1
else
  echo "none of the calm guest"
fi
[[ $keep -eq 0 ]] || echo "the daemon goes on as pid $daemon, its log is $work/daemon.log: ${client[*]} alerts --follow"
exit $result
