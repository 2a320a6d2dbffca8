"""Where two specifications differ: which one judges."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interpretations:
    """Whether something is as the vendor's page has it, and as Glance's API reference has it, where the two differ."""

    specification: str
    """Whose reading judges: ``cloud-images`` or ``glance``."""
    cloud_images: bool
    glance: bool

    @property
    def met(self) -> bool:
        """Whether the reading that judges is met."""
        return self.glance if self.specification == "glance" else self.cloud_images

    def __str__(self) -> str:
        if self.cloud_images is self.glance:
            return ""
        return (
            "meets Glance's reference, not the vendor's page"
            if self.glance
            else "meets the vendor's page, not Glance's reference"
        )
