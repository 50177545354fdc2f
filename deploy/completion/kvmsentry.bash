# Completion of kvmsentry in bash. What there is to complete the program's own help says.
_kvmsentry() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} each help
  local -a commands=()
  if [[ $before == --vm || $before == --socket || $before == --tls-* || $before == --*specs ||
        $before =~ ^(vms|members)$ && $word != -* ]]; then
    [[ $before != --socket && $before != --tls-* && $before != --*specs ]] ||
      { mapfile -t COMPREPLY < <(compgen -f -- "$word"); return; }
    mapfile -t COMPREPLY < <(compgen -W "$(kvmsentry vms --json 2>/dev/null |
      grep -o '"vm":{[^}]*"name":"[^"]*"' | sed 's/.*"name":"//; s/"$//')" -- "$word")
    return
  fi
  for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $each == [a-z]* ]] && commands+=("$each")
  done
  help=$(kvmsentry "${commands[@]}" --help 2>/dev/null) || return
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(grep -oE -- '--[a-z][a-z-]*' <<<"$help" | sort -u)" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' <<<"$help")" -- "$word")
  fi
}
complete -F _kvmsentry kvmsentry
