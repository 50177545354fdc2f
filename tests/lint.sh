#!/bin/bash
# Checks formatting and lints.
#
#   tests/lint.sh           format of every file
#   tests/lint.sh --tidy [FILE...]   and clang-tidy: of the files named, else of all of ours (slow)
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

git ls-files '*.cc' '*.h' '*.c' | xargs clang-format --dry-run -Werror
[[ ${1:-} == --tidy ]] || exit 0
shift
cmake --preset tidy >/dev/null
# Generated headers must be there before anything that includes them is read.
cmake --build --preset tidy --target kvmsentry_api_proto sensor_probe >/dev/null
files=("$@")
if [[ ${#files[@]} -eq 0 ]]; then mapfile -t files < <(git ls-files 'sensor/*.cc' 'tests/*.cc' 'bench/*.cc'); fi
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy -p build/tidy --quiet
