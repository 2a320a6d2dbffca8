# what every answer of a run shows, whoever asked for what

import pytest

from pytest_cloudimages.areas.common.checks import Run
from pytest_cloudimages.areas.common.every_answer import expect_nowhere, look_for_what_stays

# "every image seen", "the header fields of each 405": each is asked of chosen answers as well, where its area is
SEEN = (
    "AUTH-03",
    "GEN-01",
    "GEN-07",
    "GEN-11",
    "GEN-14",
    "IMG-DEL-04",
    "IMG-ENT-01",
    "IMG-ENT-02",
    "IMG-ENT-03",
    "IMG-ENT-04",
    "IMG-ENT-05",
    "IMG-ENT-06",
    "IMG-ENT-07",
    "IMG-ENT-08",
    "IMG-ENT-09",
    "IMG-ENT-10",
    "IMG-ENT-11",
    "IMG-GET-01",
    "IMG-LIST-01",
    "IMG-LIST-02",
    "IMG-STAT-01",
    "IMG-STAT-03",
    "IMG-STAT-07",
    "IMG-UPD-01",
    "IMG-UPD-11",
    "IMG-UPD-22",
    "IMG-UPD-27",
    "MEM-CRE-02",
    "MEM-ENT-01",
    "MEM-ENT-02",
    "MEM-ENT-03",
    "MEM-ENT-04",
    "MEM-LIST-01",
    "MEM-LIST-02",
    "MEM-UPD-01",
    "MEM-UPD-02",
    "MEM-UPD-03",
    "MEM-UPD-09",
    "PAGE-03",
    "TAG-ADD-22",
    "TAG-ADD-26",
    "TAG-AUTH-03",
    "TAG-DEL-04",
    "TAG-DEL-12",
    "TAG-RESP-01",
    "TAG-RESP-02",
    "TAG-RESP-04",
    "TAG-VIS-01",
    "TAG-VIS-05",
    "TAG-VIS-07",
    "TASK-ENT-01",
    "TASK-ENT-02",
    "TASK-ENT-04",
    "TASK-ENT-05",
    "TASK-ENT-06",
    "TASK-ENT-07",
    "TASK-ENT-08",
    "TASK-ENT-09",
    "TASK-GET-01",
    "TASK-LIST-01",
    "TASK-LIST-02",
)


@pytest.mark.parametrize(
    "identifier",
    [pytest.param(each, marks=pytest.mark.requirement(each, in_passing=True), id=each) for each in SEEN],
)
def test_no_answer_departs_from_it(cloudimages_run: Run, identifier: str) -> None:
    if identifier == "IMG-DEL-04":
        look_for_what_stays(cloudimages_run)
    expect_nowhere(cloudimages_run, identifier)
