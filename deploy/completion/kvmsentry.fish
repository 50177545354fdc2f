# Completion of kvmsentry in fish. What there is to complete the program's own help says.
function __kvmsentry_help
    kvmsentry (string match -r '^[a-z].*' -- (commandline -opc)[2..-1]) --help 2>/dev/null
end
function __kvmsentry_commands
    __kvmsentry_help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\)  *\(.*\)/\1\t\2/p'
end
function __kvmsentry_options
    __kvmsentry_help | string match -rg -- '(--[a-z][a-z-]*)' | sort -u
end
complete -c kvmsentry -f
complete -c kvmsentry -a '(__kvmsentry_commands)'
complete -c kvmsentry -n 'string match -q -- "-*" (commandline -ct)' -a '(__kvmsentry_options)'
complete -c kvmsentry -l vm -x -a '(kvmsentry vms --json 2>/dev/null | string match -rg \'"name":"([^"]*)"\')'
complete -c kvmsentry -n 'string match -qr "^(vms|members)\$" -- (commandline -opc)[-1]' -a '(kvmsentry vms --json 2>/dev/null | string match -rg \'"name":"([^"]*)"\')'
