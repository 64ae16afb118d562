#!/bin/sh
# Differential test: N nasty directories through the engine and through recompute.py.
# Stops at the first difference and keeps its directory.
#
#   scripts/conformance/run.sh N [cohortflow binary]
#   FROM=17 scripts/conformance/run.sh 17        one seed
#   MORE="--parquet --edge"                      Parquet too; what the contract leaves open
#   PYTHON=venv/bin/python                       one with pyarrow
#   KEEP=dir                                     where the directories go
set -eu
here=$(cd "$(dirname "$0")" && pwd)
seeds=${1:?usage: run.sh N [cohortflow binary]}
binary=${2:-$here/../../target/debug/cohortflow}
seed=${FROM:-1}
python=${PYTHON:-python3}
keep=${KEEP:-$(mktemp -d)}
export PYTHONDONTWRITEBYTECODE=1

fail() {
    echo "seed $seed: $1; kept in $work"
    exit 1
}

while [ "$seed" -le "$seeds" ]; do
    work=$keep/seed-$seed
    rm -rf "$work"
    mkdir -p "$work"
    $python "$here/nasty.py" --seed "$seed" --output "$work" ${MORE:-} || fail "nasty.py failed"
    rejected=$($python "$here/recompute.py" --programme "$work/programme.toml" \
        --input "$work/input" --output "$work/expected" 2>"$work/expected.log") ||
        fail "recompute.py failed, see expected.log"
    status=0
    "$binary" run --programme "$work/programme.toml" --input "$work/input" \
        --output "$work/actual" >"$work/actual.log" 2>&1 || status=$?
    # 1 says that a file was rejected; the views are written all the same.
    [ "$status" -le 1 ] || fail "exit code $status, see actual.log"
    $python "$here/compare.py" "$work/expected" "$work/actual" >"$work/differences" || {
        cat "$work/differences"
        fail "views differ"
    }
    [ "$status" -eq "$([ "$rejected" -gt 0 ] && echo 1 || echo 0)" ] ||
        fail "exit code $status with $rejected files to reject"
    rm -rf "$work"
    seed=$((seed + 1))
done
echo "$seeds seeds agree"
