# shellcheck shell=bash
# What both machines of the lab share: sourced by run and run_intel, which set $root and $out.

fail() {
  echo "lab: $*" >&2
  exit 1
}

# However it ends: only then may its files go.
end_machine() { # PID or nothing
  if [[ -n $1 ]]; then
    kill "$1" 2>/dev/null || true
    wait "$1" || true
  fi
}

note_time() { # KERNEL COMMAND...
  local stat
  read -ra stat </proc/$$/stat # its children's time: proc(5)
  printf '%4d %4d %s %s\n' "$SECONDS" $(((stat[15] + stat[16]) / $(getconf CLK_TCK))) "$1" "${*:2}" |
    sed "s|$root/build/release/||g" >>"$root/build/lab/times.log"
}

# Without the farewell of every boot.
console() { tr -d '\r' <"$out/console.log" | grep -v 'reboot: Power down' | tail -n 60 || true; }

# Ends with the command's status, where there is one.
end_with_status() {
  [[ -s $out/status ]] || return 0
  local status said
  status=$(<"$out/status")
  said=$(console)
  if [[ $status -ne 0 && -n $said ]]; then
    printf 'lab: ended with %s; its kernel had said:\n%s\n' "$status" "$said" >&2
  fi
  exit "$status"
}
