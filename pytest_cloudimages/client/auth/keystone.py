"""Asking Identity: tokens, the catalogue, and what went wrong in a tester's words."""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.answers import brief
from pytest_cloudimages.client.auth import refused_credentials
from pytest_cloudimages.client.auth.catalogue import (
    VENDORS_NAME,
    Endpoint,
    alive,
    image_endpoints,
    object_store,
    of_the_interface,
    of_the_region,
)
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.json_documents import clearly
from pytest_cloudimages.client.plain_http import HERE_ONLY, PlainHttp
from pytest_cloudimages.client.reachability import advice_to_reach, proxy_of, why_no_tls
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.versions import is_another, version_ids
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    import requests
    from keystoneauth1.session import Session
    from openstack.config.cloud_region import CloudRegion

# What it logs about failures, we say in our own words; without a handler it would be printed too.
logging.getLogger("keystoneauth").addHandler(logging.NullHandler())


@dataclass
class Account:
    """A caller at a cloud: has tokens, and knows the catalogue."""

    source: str
    """Where it was described."""
    how: str
    fixed: str | None = None
    """The endpoint, where no catalogue is asked."""
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None
    static: str | None = field(default=None, repr=False)
    """A token that is used as it is."""
    identity: str = ""
    """The URL of Identity; empty where none is asked."""
    api_key: str = field(default="", repr=False)
    """The user's API key, where one is known, whatever it signs in with."""
    no_lockout: bool = False
    """Whether the tester says that Identity locks nobody out for a wrong password."""
    unnamed: str = ""
    """How, without the name of anybody, where that is not all."""
    named: str = ""
    """The source in short, without folders."""
    regions: "Sequence[CloudRegion]" = field(default=(), repr=False)
    plain_http: PlainHttp = field(default=HERE_ONLY, repr=False)
    region: str | None = None
    """The region that is meant, whatever the settings say."""
    _shown: str | None = field(default=None, repr=False)

    def sign_in(self) -> str | None:
        """Get a first token, and return the id of the project that it is for."""
        if not self.identity:
            SECRETS.keep(self.static)
            return None
        from requests import RequestException

        # keystoneauth1 waits for ever where the root of Identity takes a token; whatever else is wrong, it says itself.
        with suppress(RequestException, ValueError):
            self.look()
        access = self.access()
        with _in_our_words(self):
            project_id: str | None = access.project_id
        return project_id

    def look(self) -> "requests.Response":
        """Ask the root of Identity for itself, and return its answer.

        Raise ``ConfigurationError`` where it is another service, and what requests raises where no answer comes.
        """
        import requests

        from pytest_cloudimages.client.transport import staying_and_bounded

        with requests.Session() as session:
            staying_and_bounded(session, self.plain_http)
            answer = session.get(
                self.identity,
                headers={"Accept": "application/json"},
                timeout=self.timeout,
                verify=self.verify,
                cert=self.cert,
                allow_redirects=False,
            )
            if answer.status_code == 401:  # noqa: PLR2004 - as HTTP has it
                raise ConfigurationError(
                    f"{self.source}: {self.identity} asks for a token (401) where Identity gives them. Is it the"
                    " address of another service? auth_url is the root of Identity or its /v3."
                )
            data = clearly(answer.content)
            if is_another(data):
                raise ConfigurationError(
                    f"{self.source}: {self.identity} is the address of another service: it lists the versions"
                    f" {', '.join(version_ids(data)[:3])} as an image service does, and gives no tokens. auth_url is"
                    " the root of Identity or its /v3."
                )
            return answer

    def token(self) -> str | None:
        """Return a token that is valid for a while yet."""
        if not self.identity:
            return self.static
        try:
            token = self.access().auth_token
        except ConfigurationError as error:
            # They were right when the run began, so nothing of the command needs mending.
            raise Blocked(f"The token ran out, and there is no new one. {error}") from None
        return str(token)

    def renew(self) -> None:
        """Forget the token in use, which the service takes no longer."""
        if self.identity:
            self.regions[0].get_session().invalidate()

    def further(self) -> "FurtherToken | None":
        """Return a token beside the one in use.

        ``None`` where none is to be had, or ending it could end the tester's own too.
        """
        if not self.identity or "token" in self.how.partition(" at ")[0]:
            return None
        session, target = self.regions[0].get_session(), self._tokens()
        try:
            token = session.auth.get_auth_ref(session).auth_token  # type: ignore[union-attr]  # an Identity plugin
        except Exception:  # noqa: BLE001 - a strange answer raises whatever it does in keystoneauth1
            return None
        finally:
            session.session.close()
        if not isinstance(token, str):
            return None
        SECRETS.keep(token)
        return FurtherToken(str(token), target, session) if token else None

    def vouches_for(self, value: str) -> bool:
        """Return whether Identity says that a token, as it is spelled, is valid."""
        from keystoneauth1 import exceptions

        if not self.identity:
            return False
        session = self.regions[0].get_session()
        try:
            headers = {"X-Auth-Token": self.token() or "", "X-Subject-Token": value}
            answer = session.get(self._tokens(), headers=headers, authenticated=False)
        except (exceptions.ClientException, Blocked, ValueError):
            return False
        finally:
            session.session.close()
        return bool(answer.status_code == 200)  # noqa: PLR2004 - as HTTP has it

    def _tokens(self) -> str:
        """Return where Identity v3 issues, validates and revokes tokens."""
        root = self.identity.rstrip("/")
        return f"{root if root.endswith('/v3') else f'{root}/v3'}/auth/tokens"

    def access(self) -> Any:
        """Return what Identity says of the token in use, after it has got a new one where that is due."""
        session = self.regions[0].get_session()
        with _in_our_words(self):
            access = session.auth.get_access(session)  # type: ignore[union-attr]  # an Identity plugin
            token = access.auth_token
            if not isinstance(token, str) or not token:
                raise ValueError("no token in the answer")
        if token != self._shown:
            SECRETS.keep(token)
            self._shown = token
            session.session.close()  # until the next token, there is nothing to ask
        return access

    def roles(self) -> tuple[str, ...] | None:
        """Return what Identity calls the roles that the token in use is for; ``None`` where it says nothing of them."""
        if not self.identity:
            return None
        try:
            return tuple(map(str, self.access().role_names))
        except (ConfigurationError, Blocked, AttributeError, TypeError, KeyError):
            return None

    def endpoint(self, region: str | None) -> Endpoint:
        """Return the endpoint of the image service; ``region`` counts where the settings leave it open."""
        region = self._region(region)
        if self.fixed:
            return Endpoint(self.fixed, region)
        if not self.identity:
            raise ConfigurationError(
                f"{self.source}: {self.how}, but no endpoint, and there is no catalogue to ask. Set"
                " OS_ENDPOINT, or `endpoint` below `auth` of the entry in clouds.yaml."
            )
        return alive(self.candidates(region), self.timeout)

    def candidates(self, region: str | None) -> list[Endpoint]:
        """Return the endpoints of the catalogue that fit the settings, the first of which is meant."""
        found = of_the_interface(self.offered(), self.regions[0])
        region = self._region(region)
        with _in_our_words(self):
            region = region or _default_region(self.regions[0])
        return of_the_region(found, region, self.identity)

    def offered(self) -> list[Endpoint]:
        """Return every endpoint of the image service that the catalogue has."""
        settings, catalogue = self.regions[0], self._catalogue()
        with _in_our_words(self):
            return image_endpoints(catalogue, (VENDORS_NAME, settings.get_service_name("image")))

    def offered_regions(self) -> list[str]:
        """Return the names of the regions in which the catalogue has the image service.

        Raise ``ConfigurationError`` where no catalogue is asked.
        """
        if self.fixed or not self.identity:
            raise ConfigurationError(
                f"{self.source}: expected a catalogue that has the regions, and the endpoint is fixed. Leave the"
                " endpoint out, or leave out --all-regions."
            )
        found = of_the_interface(self.offered(), self.regions[0])
        return sorted({endpoint.region for endpoint in found if endpoint.region})

    def object_store(self, region: str | None) -> str:
        """Return the address of the caller's account in the object store; empty where the catalogue has none."""
        if not self.identity:
            return ""
        asked, catalogue = self.regions[0].get_interface("image") or "public", self._catalogue()
        interface = asked if isinstance(asked, str) else asked[0]
        with _in_our_words(self):
            return object_store(catalogue, interface.removesuffix("URL"), region)

    def _catalogue(self) -> list[dict[str, Any]]:
        access = self.access()
        with _in_our_words(self):
            has_one = access.has_service_catalog()
            found: list[dict[str, Any]] = access.service_catalog.normalize_catalog() if has_one else []
            return found

    @property
    def timeout(self) -> float:
        """Seconds to wait for an answer of Identity."""
        return float(self.regions[0].get_session().timeout or 0)

    def _region(self, wanted: str | None) -> str | None:
        """Return the region that is meant; else that of the settings; where they name none or several, the wanted."""
        if self.region:
            return self.region
        named = (settings.config.get("region_name") for settings in self.regions)
        known = [str(region) for region in named if region]
        if len(known) == 1:
            return known[0]
        if known and wanted and wanted not in known:
            raise ConfigurationError(
                f"OS_REGION_NAME is {wanted!r}, but {self.source} has these regions: {', '.join(known)}. Upper and"
                " lower case count."
            )
        return wanted


@dataclass(frozen=True)
class FurtherToken:
    """A token of the tester's that can be ended while the run goes on."""

    value: str = field(repr=False)
    _target: str
    """Where Identity issues and revokes tokens."""
    _session: "Session" = field(repr=False)

    def revoke(self) -> bool:
        """End the token; return whether Identity says that it did."""
        from keystoneauth1 import exceptions

        headers = {"X-Auth-Token": self.value, "X-Subject-Token": self.value}
        try:
            self._session.delete(self._target, headers=headers, authenticated=False)
        except exceptions.ClientException:
            return False
        finally:
            self._session.session.close()
        return True

    def unscoped(self) -> str | None:
        """Return a token of the same user that is for no project, got for this one; ``None`` where none is to be had.

        Some services give a token for a user's usual project where none is named: that is no such token.
        """
        from keystoneauth1 import exceptions

        identity = {"methods": ["token"], "token": {"id": self.value}}
        asked = {"auth": {"identity": identity, "scope": "unscoped"}}
        try:
            answer = self._session.post(self._target, json=asked, authenticated=False)
        except exceptions.ClientException:
            return None
        finally:
            self._session.session.close()
        token, told = answer.headers.get("X-Subject-Token"), clearly(answer.content)
        SECRETS.keep(token)
        scope = told.get("token") if isinstance(told, dict) else None
        if not token or not isinstance(scope, dict) or {"project", "domain", "system", "OS-TRUST:trust"} & scope.keys():
            return None
        return str(token)


def _default_region(settings: "CloudRegion") -> str | None:
    """Return the region that Rackspace's Identity names for a user."""
    state = json.loads(settings.get_session().auth.get_auth_state() or "{}")  # type: ignore[union-attr,arg-type]
    region = state.get("body", {}).get("access", {}).get("user", {}).get("RAX-AUTH:defaultRegion")
    return str(region) if region else None


@contextmanager
def _in_our_words(account: Account) -> Iterator[None]:
    """Raise what keystoneauth1 raises in words that tell a tester what to do."""
    from keystoneauth1 import exceptions

    try:
        yield
    except (ConfigurationError, Blocked):
        raise
    except exceptions.AuthPluginException as error:
        raise ConfigurationError(SECRETS.hide(f"{account.source}: {error}")) from None
    except Exception as error:  # noqa: BLE001 - a strange answer raises whatever it does in keystoneauth1
        raise _translated(error, account) from None


def _translated(error: BaseException, account: Account) -> Exception:
    from keystoneauth1 import exceptions

    identity, how, source = account.identity, account.how, account.source
    chain = [error]
    while inner := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(inner)
    refused = next((link for link in chain if isinstance(link, exceptions.HttpError)), None)
    response = getattr(refused or error, "response", None)
    factor = "sessionid" in (response.headers.get("WWW-Authenticate", "") if response is not None else "").lower()
    if isinstance(error, exceptions.Unauthorized | exceptions.MissingAuthMethods):
        hint = (
            " It asks for a second factor, which nobody can give during a run: use an application credential, or get"
            " a token yourself and set CLOUDIMAGES_ENDPOINT and CLOUDIMAGES_TOKEN."
            if factor or isinstance(error, exceptions.MissingAuthMethods)
            else f" {refused_credentials.why_refused(account.regions[0], identity, source)}"
        )
        return ConfigurationError(SECRETS.hide(f"Identity refuses the {how} (401).{hint}"))
    if lost := next(
        (link for link in chain if isinstance(link, exceptions.ConnectFailure | exceptions.ConnectionError)), None
    ):
        if found := why_no_tls(lost):
            return Blocked(SECRETS.hide(f"Identity at {identity} cannot be asked: {found[0]}. {found[1]}"))
        advice = advice_to_reach(identity, proxy_of(identity), "Check auth_url and the network.")
        return Blocked(SECRETS.hide(f"Identity at {identity} cannot be reached: {brief(lost)}. {advice}"))
    if refused is not None and 400 <= refused.http_status < 500 and refused.http_status not in (408, 413, 429):  # noqa: PLR2004
        told = refused_credentials.in_words(refused, account.regions[0].config["auth"], account.identity, how, source)
        return ConfigurationError(SECRETS.hide(told))
    if "domain scope" in str(error):
        return ConfigurationError(
            f"Identity at {identity} offers v2.0 only, which has no domains: leave out OS_*_DOMAIN_*."
        )
    what = f"status {refused.http_status}" if refused is not None else f"{type(error).__name__}: {error}"
    return Blocked(
        SECRETS.hide(
            f"{identity} does not answer as an Identity service does ({what}). Is there a proxy in between, or is"
            " auth_url the address of something else?"
        )
    )
