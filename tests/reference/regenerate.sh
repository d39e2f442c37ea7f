#!/bin/sh
# Makes the reference values of the tests anew: every NAME.h here by its NAME.py, or only those that are named.
#
#     pip install torch==2.13.0 keras==3.15.1 numpy scipy scikit-learn pandas
#     sh tests/reference/regenerate.sh [losses_core ...]
#
# PYTHON says which Python. Inputs are drawn by fixed seeds, so that the same libraries give the same files.
set -eu
cd "$(dirname "$0")/../.."
export KERAS_BACKEND=torch
if [ $# -eq 0 ]; then
    for header in tests/reference/*.h; do
        set -- "$@" "$(basename "$header" .h)"
    done
fi
for name in "$@"; do
    echo "$name"
    "${PYTHON:-python3}" "tests/reference/$name.py" >"tests/reference/$name.h.new" ||
        { rm -f "tests/reference/$name.h.new"; exit 1; }
    mv "tests/reference/$name.h.new" "tests/reference/$name.h"
done
