"""What a pass that rests on chance would have seen: in races, in random histories, in tags that were drawn. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_cloudimages.spec.chance import in_words, percent_shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HISTORIES, DRAWN = "operations of random histories went wrong", "tags drawn at random went wrong"
"""What was counted, as it follows "0 of 40"."""


def power_of(
    rate: Mapping[str, Any] | None, operations: int, drawn: Mapping[str, int]
) -> tuple[Mapping[str, Any], ...]:
    """Return what a check that found nothing would have seen.

    ``rate`` says of how many races none went wrong, ``operations`` how many there were in random histories, and
    ``drawn`` how many different tags of each class. The bound on all classes together is on their mean, each weighed by
    how many were drawn of it.
    """
    told = [(rate["of"], rate["what"])] if rate and not rate["violations"] else []
    told += [(operations, HISTORIES), (sum(drawn.values()), DRAWN)]
    found = tuple(_bound(of, what) for of, what in told if of)
    classes = {name: {"of": of, "percent": percent_shown(of)} for name, of in sorted(drawn.items())}
    return tuple({**bound, "classes": classes} if bound["what"] == DRAWN else bound for bound in found)


def _bound(of: int, what: str) -> dict[str, Any]:
    return {"of": of, "what": what, "percent": percent_shown(of)}


def strongest(powers: Iterable[Iterable[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """Return of what several checks would have seen, for each thing that was counted, that of the check with most."""
    found: dict[str, Mapping[str, Any]] = {}
    for bound in (bound for power in powers for bound in power):
        if bound["what"] not in found or bound["of"] > found[bound["what"]]["of"]:
            found[bound["what"]] = bound
    return list(found.values())


def stated(rates: Iterable[Mapping[str, Any] | None], powers: Iterable[Iterable[Mapping[str, Any]]]) -> dict[str, Any]:
    """Return what an entry says of how often races met what was asked, and of what would have shown if none did."""
    rate, seen = next((rate for rate in rates if rate), None), strongest(powers)
    return {**({"rate": dict(rate)} if rate else {}), **({"power": [dict(bound) for bound in seen]} if seen else {})}


def told(bound: Mapping[str, Any]) -> str:
    """Return what would have been seen in words."""
    return f"0 of {bound['of']} {bound['what']}: {in_words(bound['percent'])}"


def problems(bound: Mapping[str, Any]) -> list[str]:
    """Return what does not follow from how many there were."""
    stated = [(bound["what"], bound), *bound.get("classes", {}).items()]
    wrong = [
        f"of {each['of']} ({what}) {percent_shown(each['of'])} % follow, not {each['percent']}"
        for what, each in stated
        if each["percent"] != percent_shown(each["of"])
    ]
    if "classes" in bound and sum(each["of"] for each in bound["classes"].values()) != bound["of"]:
        wrong.append(f"the classes are not {bound['of']} together ({bound['what']})")
    return wrong
