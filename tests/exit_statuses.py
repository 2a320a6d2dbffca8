"""With which status each command ends, and when: tests/test_exit_statuses.py has each end so.

`python tests/exit_statuses.py` prints the table of docs/gating.md.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """A way for a command to end."""

    command: str
    status: int
    when: str
    """As the documentation says it."""
    words: str = ""
    """What stands behind the command: GOOD.json and the like are made beforehand, {out} is an empty folder."""
    service: str = ""
    """Which service the environment names: honest, faulty, silent, slow, or none."""
    output: str = ""
    """Where the output goes: full for a disk without room, left for a reader who is gone, interrupting for Ctrl-C."""
    elsewhere: str = ""
    """The test that has it, where a run takes more than this."""


SUMS_UP = "test_cli.test_the_exit_status_sums_up"
UNTOLD = "what it says cannot be written"
UNREAD = "nobody read what it says"
CASES = (
    Case("run", 0, "nothing is held against the service", elsewhere=SUMS_UP),
    Case("run", 1, "a requirement failed, and it is not accepted", elsewhere=SUMS_UP),
    Case("run", 1, "a deviation has expired", elsewhere="test_gate.test_a_known_deviation_passes_the_gate_until_it_ends"),
    Case("run", 2, "no service is named, or a word is wrong", "--timeout soon"),
    Case("run", 3, "the service cannot be judged", elsewhere=SUMS_UP),
    Case("run", 3, "nothing is left to ask", elsewhere="test_cli.test_a_mistake_is_told_clearly"),
    Case("run", 4, "an error of the suite", elsewhere="test_cli.test_a_crash_of_ours_is_told_as_such"),
    Case("run", 4, "a report cannot be written", elsewhere="test_cli.test_results_that_cannot_be_written_decide_the_status"),
    Case("run", 4, UNTOLD, "--reference", output="full"),
    Case("run", 130, "interrupted", elsewhere="test_cli.test_ctrl_c_leaves_everything_as_it_was"),
    Case("diff", 0, "no finding is new", "FAILING.json FAILING.json"),
    Case("diff", 1, "a finding is new", "GOOD.json FAILING.json"),
    Case("diff", 1, "a deviation of the later run has expired", "FAILING.json EXPIRED.json"),
    Case("diff", 2, "a file is no results", "GOOD.json expired.toml"),
    Case("diff", 3, "the later run could not be judged", "GOOD.json BLOCKED.json"),
    Case("diff", 3, UNREAD, "GOOD.json FAILING.json", output="left"),
    Case("diff", 4, "the later run met an error of the suite", "GOOD.json ERROR.json"),
    Case("diff", 4, UNTOLD, "GOOD.json GOOD.json", output="full"),
    Case("diff", 130, "interrupted", "GOOD.json FAILING.json", output="interrupting"),
    Case("verify", 0, "the results are what a run has left", "GOOD.json"),
    Case("verify", 1, "they were changed", "CHANGED.json"),
    Case("verify", 2, "there is no such file", "none.json"),
    Case("verify", 3, UNREAD, "CHANGED.json", output="left"),
    Case("verify", 4, UNTOLD, "GOOD.json", output="full"),
    Case("verify", 130, "interrupted", "GOOD.json", output="interrupting"),
    Case("merge", 0, "nothing is held against the service", "SHARD1.json SHARD2.json -o {out}/whole.json"),
    Case("merge", 1, "a requirement failed, and it is not accepted", "FAILED1.json SHARD2.json -o {out}/whole.json"),
    Case("merge", 2, "the shards are not those of one run", "SHARD1.json -o {out}/whole.json"),
    Case("merge", 3, "something could not be judged", "BLOCKED1.json SHARD2.json -o {out}/whole.json"),
    Case("merge", 4, "the results cannot be written", "SHARD1.json SHARD2.json -o {out}/none/whole.json"),
    Case("merge", 130, "interrupted", "SHARD1.json SHARD2.json -o {out}/whole.json", output="interrupting"),
    Case("doctor", 0, "a run can begin", "", "honest"),
    Case("doctor", 2, "settings are to be mended"),
    Case("doctor", 3, "the service cannot be reached", "--timeout 2", "silent"),
    Case("doctor", 4, UNTOLD, "", "honest", "full"),
    Case("doctor", 130, "interrupted", "--write", "slow"),
    Case("replay", 0, "the finding is fixed", "finding.json --ledger {out}/ledger", "honest"),
    Case("replay", 1, "it is reproduced", "finding.json --ledger {out}/ledger", "faulty"),
    Case("replay", 2, "the file is no finding, or no service is named", "GOOD.json", "honest"),
    Case("replay", 3, "no few requests show it", "unplanned.json", "honest"),
    Case("replay", 3, "the service cannot be judged", "finding.json --ledger {out}/ledger", "silent"),
    Case("replay", 4, UNTOLD, "finding.json --as sh", output="full"),
    Case("replay", 130, "interrupted", "finding.json --ledger {out}/ledger", "slow"),
    Case("sweep", 0, "nothing is left that was to be swept", "--ledger {out}/ledger", "honest"),
    Case("sweep", 2, "no service is named, or a word is wrong", "--older-than soon", "honest"),
    Case("sweep", 3, "it could not be looked for", "--ledger {out}/ledger", "silent"),
    Case("sweep", 4, UNTOLD, "--ledger {out}/ledger", "honest", "full"),
    Case("sweep", 130, "interrupted", "--ledger {out}/ledger", "slow"),
    Case("export", 0, "it is written", "sarif FAILING.json --output {out}/conformance.sarif"),
    Case("export", 2, "the form is unknown, or the file no results", "pdf FAILING.json"),
    Case("export", 4, "it cannot be written", "sarif FAILING.json --output {out}/none/conformance.sarif"),
    Case("export", 130, "interrupted", "sarif FAILING.json", output="interrupting"),
    Case("matrix", 0, "it is written, whatever it shows", "GOOD.json Mine=FAILING.json -o {out}/matrix.md"),
    Case("matrix", 2, "a file is no results, or the form is unknown", "GOOD.json -o {out}/matrix.pdf"),
    Case("matrix", 4, "it cannot be written", "GOOD.json -o {out}/none/matrix.md"),
    Case("matrix", 130, "interrupted", "GOOD.json", output="interrupting"),
    Case("deviations", 0, "the file is written, or there is nothing to accept", "new FAILING.json --output {out}/d.toml"),
    Case("deviations", 2, "there is such a file already", "new FAILING.json --output expired.toml"),
    Case("deviations", 4, "it cannot be written", "new FAILING.json --output {out}/none/d.toml"),
    Case("deviations", 130, "interrupted", "new FAILING.json --output {out}/d.toml", output="interrupting"),
    Case("requirements", 0, "they are listed", "TAG-ADD-05"),
    Case("requirements", 2, "there is no such requirement", "TAG-NIL"),
    Case("requirements", 4, UNTOLD, "TAG-ADD-05", output="full"),
    Case("serve", 0, "it was ended, by Ctrl-C or SIGTERM", output="interrupting"),
    Case("serve", 2, "the port cannot be used", "--port {taken}"),
)  # fmt: skip
STATUSES = (0, 1, 2, 3, 4)


def markdown() -> str:
    """Return the table of the documentation: a row for each command; an interruption is 130 for all, but for serve."""
    rows = [f"| command | {' | '.join(map(str, STATUSES))} |", f"|{' --- |' * (len(STATUSES) + 1)}"]
    for command in dict.fromkeys(case.command for case in CASES):
        cells = [
            "; ".join(case.when for case in CASES if (case.command, case.status) == (command, status))
            for status in STATUSES
        ]
        rows.append(f"| `{command}` | {' | '.join(cells)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(markdown())
