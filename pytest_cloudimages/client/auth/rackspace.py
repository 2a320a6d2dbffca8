"""An API key at Rackspace's Identity v2.0, as a plugin of keystoneauth1 that clouds.yaml can name."""

from collections.abc import MutableMapping
from typing import Any

from keystoneauth1 import loading
from keystoneauth1.identity import v2


class APIKey(v2.Auth):
    """Signs in with a user's name and API key (RAX-KSKEY:apiKeyCredentials)."""

    def __init__(self, auth_url: str, username: str, api_key: str, **further: Any) -> None:
        super().__init__(auth_url, **further)
        self.username, self.api_key = username, api_key

    def get_auth_data(self, headers: MutableMapping[str, str] | None = None) -> dict[str, object]:  # noqa: ARG002 - none
        """Return what the body says of who signs in."""
        return {"RAX-KSKEY:apiKeyCredentials": {"username": self.username, "apiKey": self.api_key}}

    def get_cache_id_elements(self) -> dict[str, str | None]:
        """Return what tells the tokens of one caller from those of another."""
        scope = {"tenant_id": self.tenant_id, "tenant_name": self.tenant_name, "trust_id": self.trust_id}
        return {"auth_url": self.auth_url, "username": self.username, "api_key": self.api_key, **scope}


class APIKeyLoader(loading.BaseV2Loader[APIKey]):
    """Reads the settings of an API key."""

    @property
    def plugin_class(self) -> type[APIKey]:
        """The plugin."""
        return APIKey

    def get_options(self) -> list[loading.Opt]:
        """Return the settings that it takes."""
        return [
            *super().get_options(),
            loading.Opt("username", required=True, deprecated=[loading.Opt("user-name")], help="name of the user"),
            loading.Opt("api-key", required=True, secret=True, help="API key of the user"),
        ]
