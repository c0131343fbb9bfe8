# shellcheck shell=bash
# One line a step, for people: "[2/3] python          .venv from requirements.lock          done   22 s".
#
# Sourced by the other scripts. `step` runs a command with its output in a log under build/; when the
# command fails, the log's end and what to do about it are shown, and the script ends.

STEP=${NIGHTLATCH_STEP:-0}       # a script that calls another goes on with its numbers
STEPS=${NIGHTLATCH_STEPS:-$STEP} # how many there are in all

begin() { # NAME DETAIL: opens a step's line
    STEP=$((STEP + 1))
    STEP_START=$SECONDS
    printf '[%d/%d] %-15s %-52.52s ' "$STEP" "$STEPS" "$1" "$2"
}

finish() { # WORD: closes the line; the seconds only where there were any
    local took=$((SECONDS - STEP_START))
    if [ "$took" -gt 0 ]; then printf '%-10s %4d s\n' "$1" "$took"; else printf '%s\n' "$1"; fi
}

give_up() { # ADVICE [LOG]: closes the line of a step that failed, and ends the script
    finish failed
    if [ -n "${2:-}" ]; then
        printf '\nThe last lines of %s:\n\n' "$2"
        tail -n 25 "$2" | sed 's/^/    /'
    fi
    printf '\n%s\n' "$1"
    exit 1
} >&2

step() { # NAME DETAIL ADVICE COMMAND...: one whole step
    local advice=$3 log="build/setup/$1.log" failed
    begin "$1" "$2"
    shift 3
    mkdir -p build/setup
    set +e # not "if": a function called from a condition would go on after its own errors
    (
        set -e
        "$@"
    ) >"$log" 2>&1 </dev/null
    failed=$?
    set -e
    if [ "$failed" -ne 0 ]; then give_up "$advice" "$log"; fi
    finish 'done'
}

fingerprint() { # PATH...: one hash over the content of files and folders
    find "$@" -type f -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}
