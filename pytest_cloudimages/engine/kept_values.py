"""What the sets of an image hold: read, and set to what they are to hold."""

from collections.abc import Iterable, Sequence

from pytest_cloudimages.client.images import Image
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.resource import Effect, SetResource
from pytest_cloudimages.spec.verdicts import Blocked


def set_values(image: Image, resource: SetResource, values: list[str]) -> None:
    """Make these the values of a set, at once or else one by one. Raise ``Blocked`` where they end up otherwise."""
    found = values_of(image, resource)
    if sorted(found) == sorted(values):
        return
    if resource.replace is not None:
        replaces(image, resource, values)
        found = values_of(image, resource)
    for value in [each for each in found if each not in values]:
        image.client.ask(resource.delete(image.id, value))
    for value in [each for each in values if each not in found]:
        image.client.ask(resource.add(image.id, value))
    if sorted(eventual_values(image, resource, values)) != sorted(values):
        raise Blocked(
            f"The {resource.name}s of image {image.id} could not be set to {values};"
            f" it shows {values_of(image, resource)}."
        )


def values_of(image: Image, resource: SetResource) -> list[str]:
    """Return the values that an image shows now. Raise ``Blocked`` where it shows none that can be read."""
    answer = image.client.ask(resource.read(image.id))
    values = resource.values(answer)
    if values is None:
        raise Blocked(f"The image's {resource.name}s cannot be read: {answer.exchange}")
    return [*values]


def eventual_values(image: Image, resource: SetResource, expected: Iterable[str]) -> list[str]:
    """Return the values that an image shows, once they are the expected ones or patience is over."""
    wanted = sorted(expected)
    return image.eventually(lambda: values_of(image, resource), lambda values: sorted(values) == wanted)


def replaces(image: Image, resource: SetResource, values: Sequence[str]) -> bool:
    """Set all values at once, and return whether a service takes that."""
    return resource.replace is not None and image.client.ask(resource.replace(image.id, values)).ok


def takes(image: Image, resource: SetResource, value: str) -> bool:
    """Add a value, and return whether a service takes it, which may be there already."""
    status = image.client.ask(resource.add(image.id, value)).status
    return resource.effect(Kind.ADD, status) in (Effect.MADE_PRESENT, Effect.WAS_PRESENT)
