"""The catalogue of a cloud: where it has the image service, and which of its endpoints is meant."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.reachability import origin_of

if TYPE_CHECKING:
    from openstack.config.cloud_region import CloudRegion

VENDORS_NAME = "cloudImages"
"""What the vendor's own catalogue calls the image service."""
LONGEST_DIAL = 5.0
"""Seconds that one of several endpoints is given to take a connection."""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of the image service, as a catalogue has it."""

    url: str
    region: str | None
    interface: str = "public"
    service: str = ""
    """The name of the service in the catalogue."""

    def __str__(self) -> str:
        return f"{self.url} ({self.interface}, region {self.region or '(none)'})"

    def answers(self, timeout: float) -> bool:
        """Return whether it takes a connection."""
        with suppress(ValueError):
            return origin_of(self.url).answers(min(timeout, LONGEST_DIAL))
        return False


def image_endpoints(catalogue: list[dict[str, Any]], names: Sequence[str | None] = ()) -> list[Endpoint]:
    """Return every endpoint of the image service; of several such services those with one of the names, if any.

    Raise ``ConfigurationError`` where there is no such service.
    """
    images = [service for service in catalogue if service["type"] == "image"]
    if not images:
        types = (
            ", ".join(sorted({str(service["type"]) for service in catalogue}))
            or "none, as for a token without a project"
        )
        raise ConfigurationError(
            f"The catalogue has no service of type 'image'. The types it has: {types}. Check the project"
            " (OS_PROJECT_NAME), or give the address in OS_IMAGE_ENDPOINT_OVERRIDE."
        )
    for name in names:
        images = [service for service in images if name and service["name"] == name] or images
    return [
        Endpoint(str(entry["url"]), entry["region_name"], entry["interface"].removesuffix("URL"), name)
        for service in images
        for name in [str(service["name"] or "")]
        for entry in service["endpoints"]
    ]


def object_store(catalogue: list[dict[str, Any]], interface: str, region: str | None) -> str:
    """Return the address of the caller's account in the object store of a region; empty where there is none."""
    found = [
        str(entry["url"])
        for service in catalogue
        if service["type"] == "object-store"
        for entry in service["endpoints"]
        if entry["interface"].removesuffix("URL") == interface and entry["region_name"] == region
    ]
    return found[0].rstrip("/") if found else ""


def of_the_interface(offered: Sequence[Endpoint], settings: "CloudRegion") -> list[Endpoint]:
    """Return the endpoints of the interface that was asked for."""
    asked = settings.get_interface("image") or "public"
    for interface in [asked] if isinstance(asked, str) else asked:
        wanted = interface.removesuffix("URL")
        if found := [endpoint for endpoint in offered if endpoint.interface == wanted]:
            return found
    kinds = ", ".join(sorted({endpoint.interface for endpoint in offered})) or "none"
    raise ConfigurationError(
        f"The catalogue has no {asked} interface of the image service; it has: {kinds}. Choose one with OS_INTERFACE."
    )


def of_the_region(found: Sequence[Endpoint], region: str | None, identity: str) -> list[Endpoint]:
    """Return the endpoints of a region; where none is named, there has to be but one."""
    known = sorted({endpoint.region or "(none)" for endpoint in found})
    if region is None and len(known) > 1:
        raise ConfigurationError(
            f"The catalogue of {identity} has the image service in several regions: {', '.join(known)}."
            " Choose one with OS_REGION_NAME, or with `region_name` of the entry in clouds.yaml."
        )
    matching = [endpoint for endpoint in found if region is None or endpoint.region == region]
    if not matching:
        raise ConfigurationError(
            f"The catalogue of {identity} has no image service in region {region!r}, but in: {', '.join(known)}."
            " Upper and lower case count. Correct OS_REGION_NAME, or `region_name` of the entry in clouds.yaml."
        )
    return matching


def alive(matching: Sequence[Endpoint], timeout: float) -> Endpoint:
    """Return the first that takes a connection; where none does, or there is no choice, the first."""
    if len({endpoint.url for endpoint in matching}) > 1:
        return next((endpoint for endpoint in matching if endpoint.answers(timeout)), matching[0])
    return matching[0]
