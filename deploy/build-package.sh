#!/bin/bash
# Builds the Debian package: build/release/kvmsentry_VERSION_ARCHITECTURE.deb. Installs what it needs. JOBS=N: so many
# files are compiled at once, else as many as there are CPUs.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
deploy/install-packages.sh build
cmake --preset release >/dev/null
cmake --build --preset release --target kvmsentryd kvmsentry package_files -- -j"${JOBS:-$(nproc)}"
cd build/release
cpack -G DEB >package/cpack.log || { cat package/cpack.log >&2; exit 1; }
ls "$PWD"/kvmsentry_*.deb
