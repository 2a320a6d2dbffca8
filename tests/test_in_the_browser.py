"""index.html in a real browser: what a reader does with it, and what it must not do."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_cloudimages.reporting.index_page import as_page
from pytest_cloudimages.reporting.side_by_side import Column, as_html
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

sys.path.insert(0, str(Path(__file__).parent))

from sample_results import VERDICTS, results

PROGRAMS = ("chromium", "chromedriver")
LIBRARIES = ("selenium", "axe_core_python")
INSTALL = "apt-get install chromium chromium-driver; pip install selenium axe-core-python"
CHOSEN = [f"TAG-{group}-0{number}" for group in ("ADD", "DEL", "HIST", "URI") for number in range(1, 5)]
SHOWN = {identifier: load()[identifier] for identifier in [*CHOSEN, "GEN-01", "GEN-02"]}
MIXED = {identifier: VERDICTS[number % len(VERDICTS)] for number, identifier in enumerate(CHOSEN)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Chromium, and keep what it asks the network for and writes to its console."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    missing += [name for name in LIBRARIES if not importlib.util.find_spec(name)]
    if missing:
        told = f"{', '.join(missing)}: not here; install with: {INSTALL}"
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(told, pytrace=False)
        pytest.skip(told)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,1000",
    ):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a page with every verdict, and return its address."""
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(as_page(results(MIXED, catalogue=SHOWN)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Any:
    """Open the page anew, with no fragment and in the colours of a system that says nothing."""
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.get("about:blank")
    browser.get(address)
    with contextlib.suppress(Exception):
        browser.execute_script("localStorage.clear()")
    return browser


def shown(page: Any) -> list[str]:
    """Return the ids of the requirements that can be seen."""
    found: list[str] = page.execute_script(
        "return [...document.querySelectorAll('.requirement')].filter(e => e.checkVisibility()).map(e => e.id)"
    )
    return found


def by_css(page: Any, selector: str) -> Any:
    return page.find_element("css selector", selector)


def test_search_shows_what_has_every_word(page: Any) -> None:
    """Wherever it stands in a requirement or its evidence; and the number of those shown is told."""
    by_css(page, "#search").send_keys("TAG-DEL-02 body")

    assert shown(page) == ["TAG-DEL-02"]
    assert by_css(page, "#shown").text == f"1 of {len(SHOWN)} shown"
    by_css(page, "#search").send_keys(" nowhere")
    assert shown(page) == []
    assert by_css(page, "#nothing").is_displayed()
    by_css(page, "#reset").click()
    assert shown(page) == CHOSEN_FIRST


CHOSEN_FIRST = [identifier for identifier in SHOWN if not identifier.startswith("GEN")]
"""Those of groups of which something was asked; the others are folded."""


@pytest.mark.parametrize(
    ("choices", "fits"),
    [
        ({"level": "SHOULD"}, lambda entry: entry.level == "SHOULD"),
        ({"provenance": "http"}, lambda entry: entry.provenance == "http"),
        ({"group": "GEN"}, lambda entry: entry.group == "GEN"),
        ({"level": "MUST", "group": "TAG-URI"}, lambda entry: (entry.level, entry.group) == ("MUST", "TAG-URI")),
    ],
)
def test_filters_show_what_fits_all_of_them(page: Any, choices: dict[str, str], fits: Any) -> None:
    """Also what stands in a group that was folded."""
    for name, value in choices.items():
        by_css(page, f"#{name} option[value='{value}'], #{name} option:not([value])")  # it is a choice
        page.execute_script(
            "const e = document.getElementById(arguments[0]); e.value = arguments[1];"
            "e.dispatchEvent(new Event('change'))",
            name,
            value,
        )

    assert sorted(shown(page)) == sorted(identifier for identifier, entry in SHOWN.items() if fits(entry))


def test_verdicts_are_chosen_with_the_keyboard(page: Any) -> None:
    """Two of them show either; and a requirement is unfolded with the key that presses a button."""
    from selenium.webdriver.common.keys import Keys

    for verdict in ("fail", "advisory"):
        chip = by_css(page, f".chip[data-verdict={verdict}]")
        chip.send_keys(Keys.SPACE)
        assert chip.get_attribute("aria-pressed") == "true"
    wanted = [identifier for identifier, verdict in MIXED.items() if str(verdict) in ("fail", "advisory")]
    assert sorted(shown(page)) == sorted(wanted)

    summary = by_css(page, f"#{wanted[0]} > summary")
    assert not by_css(page, f"#{wanted[0]} .values").is_displayed()
    summary.send_keys(Keys.ENTER)
    assert by_css(page, f"#{wanted[0]} .values").is_displayed()
    assert "'é'" in by_css(page, f"#{wanted[0]} .values").text
    by_css(page, "body").send_keys("/")
    assert page.switch_to.active_element.get_attribute("id") == "search"


def test_everything_can_be_reached_with_the_tabulator(page: Any) -> None:
    """In the order of the page: links, filters, requirements."""
    from selenium.webdriver.common.keys import Keys

    reached = []
    for _ in range(30):
        page.switch_to.active_element.send_keys(Keys.TAB)
        active = page.switch_to.active_element
        reached.append(active.get_attribute("id") or active.get_attribute("class") or active.tag_name)

    wanted = ["skip", "theme", "search", "level", "provenance", "group", "reset"]
    assert [name for name in reached if name in wanted] == wanted


def test_a_command_is_copied_as_it_is_shown(page: Any, address: str) -> None:
    """The button says that it was."""
    from selenium.webdriver.support.ui import WebDriverWait

    origin = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    page.execute_cdp_cmd("Browser.grantPermissions", origin)
    page.get(f"{address}#TAG-ADD-02")
    button = by_css(page, "#TAG-ADD-02 .body > .copyable button")
    button.click()

    WebDriverWait(page, 5).until(lambda _: button.text == "Copied")
    copied = page.execute_async_script("const done = arguments[0]; navigator.clipboard.readText().then(done, done)")
    assert copied == "cloudimages run --seed 7 --select TAG-ADD-02"


def test_a_permalink_opens_its_requirement(page: Any, address: str) -> None:
    """Also in a group that is folded, and where a filter hides it."""
    page.get("about:blank")
    page.get(f"{address}#GEN-02")
    assert by_css(page, "#GEN-02 .body").is_displayed()

    by_css(page, ".chip[data-verdict=fail]").click()
    assert "GEN-02" not in shown(page)
    page.execute_script("location.hash = '#TAG-ADD-01'")
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(page, 5).until(lambda _: by_css(page, "#TAG-ADD-01 .body").is_displayed())
    assert by_css(page, "#TAG-ADD-01 .permalink").get_attribute("href") == f"{address}#TAG-ADD-01"


def background(page: Any) -> str:
    colour: str = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    return colour


def test_colours_are_those_of_the_system_until_somebody_chooses(page: Any) -> None:
    """Dark, light, and the other one by the button; the page remembers."""
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    light = background(page)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert background(page) != light

    button = by_css(page, "#theme")
    button.click()
    assert (button.text, background(page)) == ("Light", light)
    button.click()
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert (button.text, background(page) == light) == ("Dark", False)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing(page: Any, colours: str) -> None:
    """With everything unfolded."""
    page.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")

    assert violations(page, colours) == []


def violations(page: Any, colours: str) -> list[str]:
    """Return what axe has against a page in these colours."""
    from axe_core_python.base import AXE_FILE_PATH

    media = {"features": [{"name": "prefers-color-scheme", "value": colours}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    page.execute_script(Path(AXE_FILE_PATH).read_text(encoding="utf-8"))
    found = page.execute_async_script("axe.run({resultTypes: ['violations']}).then(arguments[0])")
    assert found["passes"]
    return [f"{rule['id']}: {node['html']}" for rule in found["violations"] for node in rule["nodes"]]


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_matrix_can_be_cut_down_to_what_differs(browser: Any, tmp_path: Path, colours: str) -> None:
    """By a switch that needs no script, and axe finds nothing."""
    columns = [Column(name, results({**MIXED, "TAG-ADD-01": verdict}, catalogue=SHOWN).data) for name, verdict in TWO]
    path = tmp_path / "matrix.html"
    path.write_text(as_html(columns), encoding="utf-8")
    browser.get_log("browser")
    browser.get(path.as_uri())

    rows = browser.find_elements("css selector", "tbody tr[id]")
    assert len(rows) == len(CHOSEN)
    assert violations(browser, colours) == []
    by_css(browser, "#only").click()
    assert [row.get_attribute("id") for row in rows if row.is_displayed()] == ["TAG-ADD-01"]
    assert browser.get_log("browser") == []


TWO = (("one", Verdict.PASS), ("two", Verdict.FAIL))


def test_a_narrow_page_does_not_scroll_sideways(page: Any) -> None:
    """On a telephone, with everything unfolded."""
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
        width = page.execute_script("return document.documentElement.scrollWidth")
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    assert width <= 390


def test_paper_has_the_findings_unfolded(page: Any) -> None:
    """And afterwards they are as they were."""
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert by_css(page, "#TAG-ADD-02 .values").is_displayed()
    page.execute_script("dispatchEvent(new Event('afterprint'))")
    assert not by_css(page, "#TAG-ADD-02 .values").is_displayed()


def test_nothing_leaves_the_page_and_nothing_goes_wrong(page: Any, address: str) -> None:
    """No request but for the page itself, and no word on the console."""
    for kind in ("browser", "performance"):
        page.get_log(kind)  # what earlier tests have left
    page.get("about:blank")
    page.get(f"{address}#TAG-ADD-02")
    by_css(page, "#theme").click()
    by_css(page, "#search").send_keys("tag")

    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    sent = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert {url for url in sent if not url.startswith("data:")} == {address}
    assert page.get_log("browser") == []


def test_the_policy_forbids_the_network(page: Any) -> None:
    """Even to a script of the page."""
    refused = page.execute_async_script(
        "const done = arguments[0];"
        "addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective), {once: true});"
        "fetch('https://images.example/').catch(() => {})"
    )

    assert refused == "connect-src"
