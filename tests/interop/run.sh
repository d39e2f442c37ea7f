#!/bin/sh
# Runs interop.py: run.sh BUILD_DIRECTORY. With PYTHON set, by that interpreter as it is; otherwise by one in
# BUILD_DIRECTORY/interop-venv, made and filled here. Where packages cannot be had, says so in one line and is content.
set -u
build=$1
source=$(dirname "$0")/../..
packages="numpy pandas scikit-learn safetensors torch"
imports="import numpy, pandas, sklearn, safetensors, torch"

skip()
{
    echo "interop: skipped: $1"
    exit 0
}

python=${PYTHON:-}
if [ -z "$python" ]; then
    python=$build/interop-venv/bin/python
    if ! "$python" -c "$imports" 2>/dev/null; then
        command -v python3 >/dev/null || skip "there is no python3"
        python3 -m venv "$build/interop-venv" >"$build/interop-pip.log" 2>&1 ||
            skip "python3 cannot make a virtual environment (see $build/interop-pip.log)"
        echo "interop: installing $packages into $build/interop-venv"
        "$python" -m pip install --quiet --disable-pip-version-check $packages >>"$build/interop-pip.log" 2>&1 ||
            skip "pip cannot install $packages (see $build/interop-pip.log)"
    fi
fi
missing=$("$python" -c "$imports" 2>&1) || skip "$python: $(printf '%s\n' "$missing" | tail -n 1)"
exec "$python" "$source/tests/interop/interop.py" "$build" "$source"
