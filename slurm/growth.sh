#!/usr/bin/env bash
# How the time of each unsupervised stage grows with the rows: a table with fitted exponents, and
# what follows for more rows on more cores.
#   slurm/growth.sh [NANOATLAS]            NANOATLAS: build/release/nanoatlas, or a whole launch:
#                                          "srun build/release/nanoatlas"
# ROWS, FEATURES, STAGES, REPEAT: the sizes (10,000 to 160,000 rows of 50), the stages, runs of each.
# TO_ROWS, TO_CORES: what to extrapolate to (10,000,000 rows on 64 nodes of 32 cores).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
read -ra nanoatlas <<< "${1:-build/release/nanoatlas}"
read -ra rows <<< "${ROWS:-10000 20000 40000 80000 160000}"
read -ra stages <<< "${STAGES:-neighbours adp hdbscan kmeans pca silhouette}"

#   field <name>: of the JSON object on standard input
field() { grep -o "\"$1\": *[0-9.e+-]*" | sed 's/.*: *//'; }

measure() {
    local stage=$1 count=$2 result
    result=$("${nanoatlas[@]}" bench "$stage" --rows "$count" --columns "${FEATURES:-50}" \
        --repeat "${REPEAT:-1}" --json 2> /dev/null | tail -n 1)
    echo "$stage $count $(field seconds <<< "$result") $(($(field ranks <<< "$result") * $(field threads <<< "$result")))"
}

for stage in "${stages[@]}"; do
    for count in "${rows[@]}"; do measure "$stage" "$count"; done
done | awk -v to="${TO_ROWS:-10000000}" -v to_cores="${TO_CORES:-2048}" '
    # The line of least squares through the logarithms.
    function fitted() {
        return (n * sum_xy - sum_x * sum_y) / (n * sum_xx - sum_x * sum_x)
    }
    # Goes on by the last doubling: what grows with the square hides at first behind what does not.
    function close_stage(   late, seconds) {
        if (n < 2) return
        late = log(last / before) / log(count / count_before)
        seconds = last * exp(late * log(to / count)) * cores / to_cores
        printf "%-12s exponent %.2f, at last %.2f; %d rows on %d cores: %.3g s\n", stage, fitted(), late, to, to_cores, seconds
    }
    $1 != stage { close_stage(); stage = $1; n = sum_x = sum_y = sum_xx = sum_xy = 0 }
    {
        n++; x = log($2); y = log($3); sum_x += x; sum_y += y; sum_xx += x * x; sum_xy += x * y
        before = last; count_before = count
        last = $3; count = $2; cores = $4
        printf "%-12s %9d rows %10.3f s\n", stage, $2, $3
        fflush()
    }
    END { close_stage() }'
