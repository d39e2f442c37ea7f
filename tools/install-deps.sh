#!/bin/sh
# What luge needs to be built, tested and plotted: `make deps` runs this. Says and does nothing when all is there;
# otherwise installs the Debian packages of what is missing, or, on another system, names them and fails.
# Environment: CC, CPPFLAGS, LDFLAGS as the Makefile uses them.
set -u
compiler=${CC:-gcc}

# links HEADERS LIBRARIES: whether a program that includes and links these can be built
links()
{
    for header in $1; do printf '#include <%s>\n' "$header"; done | sed '$a int main(void) { return 0; }' |
        $compiler ${CPPFLAGS:-} ${LDFLAGS:-} -x c - -o /dev/null $2 2>/dev/null
}

here()
{
    command -v "$1" >/dev/null 2>&1
}

here gnuplot && here pkg-config &&
    links "stdio.h cblas.h zlib.h jansson.h png.h check.h" "-lopenblas -lz -ljansson -lpng -lcheck" && exit 0

missing=
here "${compiler%% *}" || missing="$missing $(basename "${compiler%% *}")"
links stdio.h "" || missing="$missing libc6-dev"
links cblas.h -lopenblas || missing="$missing libopenblas-dev"
links zlib.h -lz || missing="$missing zlib1g-dev"
links jansson.h -ljansson || missing="$missing libjansson-dev"
links png.h -lpng || missing="$missing libpng-dev"
links check.h -lcheck || missing="$missing check"
here gnuplot || missing="$missing gnuplot-nox"
here pkg-config || missing="$missing pkg-config"
[ -n "$missing" ] || exit 0

if ! here apt-get; then
    echo "deps: missing, by their Debian names:$missing" >&2
    echo "deps: install what your system calls these (OpenBLAS with cblas.h, zlib, jansson, libpng, Check, gnuplot)" >&2
    exit 1
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! here sudo; then
        echo "deps: missing:$missing; as root run: apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    as_root=sudo
fi

echo "deps: installing$missing"
options="-q -o DPkg::Lock::Timeout=120"
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
# Old package lists may still do, so a failing update is only told when the installation fails too.
$as_root apt-get $options update >"$log" 2>&1
if ! $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get $options -y --no-install-recommends install $missing >>"$log" 2>&1; then
    tail -n 15 "$log" >&2
    echo "deps: apt-get failed (its last lines stand above); run make again when that is mended, or install by hand:" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
