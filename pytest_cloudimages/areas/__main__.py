"""Print the table of workloads that stands in docs/writing-a-requirement.md."""

from pytest_cloudimages import areas
from pytest_cloudimages.engine import registry

areas.load()
print("\n".join(registry.table()))
