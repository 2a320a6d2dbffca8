"""Other suites, judging the same faulty services as ours: what they find, and with how many requests.

`tox run -e peers` installs Schemathesis and measures what has not been measured yet. Without tox: install the project,
`pip install schemathesis`, have its command on the PATH, and run

    python benchmarks/peers [NAME…] [--again]

Every result is kept in `benchmarks/peers/results.json` as soon as it is there, so that a run may be stopped and taken
up again; `python tests/faults --write` makes the page `docs/detection.md` of them. One fault takes about ten seconds.
"""
