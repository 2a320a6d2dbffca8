#!/usr/bin/env bash
# What the action does: judge, annotate, write the summary of the job, and end as the run did.
set -uo pipefail

# The words are split as a shell does, and nothing in them is carried out.
mapfile -t words < <(python3 -c 'import shlex, sys; [print(word) for word in shlex.split(sys.argv[1])]' "${ARGUMENTS:-}")
cloudimages run "${words[@]}" --reports "$REPORTS" --export sarif-github --export junit
status=$?
echo "status=$status" >>"$GITHUB_OUTPUT"
# With a wrong option there are no results of this run.
if test "$status" != 2 && test -e "$REPORTS/conformance.json"
then
    cloudimages export github "$REPORTS"
    cloudimages export markdown "$REPORTS" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$status"
