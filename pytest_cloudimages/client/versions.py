"""The list of versions at the root of a service, which tells what kind of service it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_cloudimages.client.session import ImagesClient


def at_the_root(client: ImagesClient) -> ImagesClient:
    """Return a client without a token for what stands above the version, where the versions are listed."""
    return replace(client, endpoint=client.endpoint.removesuffix("/v2"), token=lambda: None)


def version_ids(data: Any) -> list[str]:
    """Return the versions that a document lists; empty where it is no such list."""
    found = data.get("versions") if isinstance(data, dict) else None
    entries = found.get("values") if isinstance(found, dict) else found
    if entries is None and isinstance(data, dict):
        entries = [data.get("version")]
    ids = [entry.get("id") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return [text for text in ids if isinstance(text, str)]


def is_identity(data: Any) -> bool:
    """Return whether a document is how an Identity service describes itself: no other one puts its list so deep."""
    found = data.get("versions") if isinstance(data, dict) else None
    if isinstance(found, dict):
        return bool(version_ids(data))
    return bool(version_ids(data)) and "identity" in str(data.get("version"))


def is_another(data: Any) -> bool:
    """Return whether a document is how services other than Identity list their versions, such as Glance."""
    return isinstance(data, dict) and isinstance(data.get("versions"), list) and bool(version_ids(data))
