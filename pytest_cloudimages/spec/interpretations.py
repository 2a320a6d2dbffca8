"""Statements that two specifications make differently, and which of the two judges."""

from dataclasses import dataclass

from pytest_cloudimages.spec.mismatch import expect, fits


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


def expect_interpreted(
    specification: str, actual: object, what: str, of: object = None, *, cloud_images: object, glance: object
) -> None:
    """Raise ``Mismatch`` unless something is as the specification that judges has it; say whether the other is met."""
    __tracebackhide__ = True
    expected = glance if specification == "glance" else cloud_images
    if fits(actual, expected):
        return
    words = str(Interpretations(specification, fits(actual, cloud_images), fits(actual, glance)))
    expect(actual, expected, what, of, **({"reading": words} if words else {}))
