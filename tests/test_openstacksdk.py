"""openstacksdk is loaded as far as it is needed, and whole for whoever wants it whole."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
from pytest_cloudimages.client.auth.sdk import without_services
with without_services():
    from openstack.config import OpenStackConfig
print("openstack.connection" in sys.modules)
import openstack
print(callable(openstack.connect), openstack.config.OpenStackConfig is OpenStackConfig, openstack.connection.Connection)
"""


def test_the_configuration_is_read_without_the_services() -> None:
    """They are loaded where somebody else asks for them, and the configuration is the same then."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["False", "True True <class 'openstack.connection.Connection'>"]
