#!/bin/bash
# deploy/install-packages.sh [build]: installs those packages of deploy/packages.txt that are missing; with `build` not
# those of the tests. Needs root and Debian 12's sources.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
last='$' # line of the list
[[ ${1:-} != build ]] || last='/^# used by the tests/'
mapfile -t wanted < <(sed -n "1,${last}p" "$here/packages.txt" | sed 's/#.*//' | awk 'NF {print $1}')
missing=()
for package in "${wanted[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null || true)
  [[ $state == ii* ]] || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0
if [[ $EUID -ne 0 ]]; then
  echo "install-packages: missing ${missing[*]}; run as root, or: apt-get install ${missing[*]}" >&2
  exit 1
fi
echo "install-packages: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >&2
apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
