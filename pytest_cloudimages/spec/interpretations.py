"""Statements that two specifications make differently, and which of the two judges."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interpretations:
    """Whether a service does as the vendor's page says, and as Glance's API reference says, where the two differ."""

    specification: str
    """The specification that judges: ``cloud-images`` or ``glance``."""
    cloud_images: bool
    glance: bool

    @property
    def met(self) -> bool:
        """Whether the service does as the specification that judges says."""
        return self.glance if self.specification == "glance" else self.cloud_images

    def __str__(self) -> str:
        if self.cloud_images is self.glance:
            return ""
        return (
            "meets Glance's reference, not the vendor's page"
            if self.glance
            else "meets the vendor's page, not Glance's reference"
        )
