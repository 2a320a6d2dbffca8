"""What is written down before it is sent, so that somebody finds it again should this process die."""

from collections.abc import Mapping, Sequence

Values = Mapping[str, Sequence[str]]
"""The values of an image's sets, by what a value is called."""


class Notes:
    """Notes that nobody keeps: those of a service that ends together with this process. Others override all of it."""

    def creating(self, name: str, caller: str, expires: float) -> int | None:
        """Note that an image of this name is about to be created; return the number of the note."""

    def created(self, note: int | None, identifier: str | None, owner: str | None) -> None:
        """Note which id the image has got, or that it is not known after all, and whose project it belongs to."""

    def gone(self, note: int | None) -> None:
        """Strike a note: the image is gone, or never came to be."""

    def lending(self, identifier: str, caller: str, values: Values) -> Values | None:
        """Note the values of a lent image, before they are changed; return what was noted of it before.

        Raise ``Blocked`` where that cannot be, or another run has the image.
        """

    def returned(self, identifier: str, kind: str) -> None:
        """Strike the note of a set of a lent image: it has its values again."""

    def close(self) -> None:
        """End the notes of a run; what is still noted is left to the next run, or to a sweep."""
