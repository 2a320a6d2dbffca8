"""What Identity v2.0 says to who has signed in: the token, whom it is for, and the catalogue of services."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.auth.catalogue import VENDORS_NAME


@dataclass(frozen=True)
class Access:
    """What Identity v2.0 says to who has signed in."""

    answer: Answer

    def __str__(self) -> str:
        return str(self.answer)

    def part(self, *names: str) -> Any:
        """Return a part of the document by the names of the members that lead to it; ``None`` where it is not there."""
        found = self.answer.data
        for name in ("access", *names):
            found = found.get(name) if isinstance(found, dict) else None
        return found

    @property
    def tenant(self) -> str:
        """The id of the tenant that the token is for; empty where it says none."""
        found = self.part("token", "tenant", "id")
        return found if isinstance(found, str) else ""

    @property
    def images(self) -> list[dict[str, Any]]:
        """The entries of the catalogue that are of the type image."""
        entries = self.part("serviceCatalog")
        found = entries if isinstance(entries, list) else []
        return [entry for entry in found if isinstance(entry, dict) and entry.get("type") == "image"]

    @property
    def is_the_vendors(self) -> bool:
        """Whether it is the vendor's catalogue: it has a service named cloudImages, as rulings, 11, has it."""
        entries = self.part("serviceCatalog")
        found = entries if isinstance(entries, list) else []
        return any(VENDORS_NAME in (entry.get("name"), entry.get("type")) for entry in found if isinstance(entry, dict))

    @property
    def endpoints(self) -> list[dict[str, Any]]:
        """The endpoints of the image service."""
        listed = [entry.get("endpoints") for entry in self.images]
        return [each for found in listed if isinstance(found, list) for each in found if isinstance(each, dict)]

    @property
    def life(self) -> float | None:
        """Seconds from the answer's date to the end of its token; ``None`` where one of them cannot be read."""
        try:
            end = datetime.fromisoformat(self.part("token", "expires"))
            begun = parsedate_to_datetime(self.answer.headers.get("Date", ""))
        except (ValueError, TypeError):
            return None
        return ((end if end.tzinfo else end.replace(tzinfo=UTC)) - begun).total_seconds()
