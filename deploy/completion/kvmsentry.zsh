#compdef kvmsentry
# Completion of kvmsentry in zsh. What there is to complete the program's own help says.
local -a commands options
local help
commands=(${(M)words[2,CURRENT-1]:#[a-z]*})
if [[ ${words[CURRENT-1]} == --vm || ${words[CURRENT-1]} == (vms|members) && $PREFIX != -* ]]; then
  compadd -- ${(f)"$(kvmsentry vms --json 2>/dev/null |
    grep -o '"vm":{[^}]*"name":"[^"]*"' | sed 's/.*"name":"//; s/"$//')"}
  return
fi
help=$(kvmsentry $commands --help 2>/dev/null) || return 1
if [[ $PREFIX == -* ]]; then
  compadd -- ${(fu)"$(grep -oE -- '--[a-z][a-z-]*' <<<"$help")"}
else
  compadd -- ${(f)"$(sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' <<<"$help")"}
fi
