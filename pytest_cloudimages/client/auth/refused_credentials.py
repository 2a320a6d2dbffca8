"""Why Identity refuses, as far as it can be found out, and what a tester can do about it."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.showing import in_one_line

if TYPE_CHECKING:
    from keystoneauth1.exceptions import HttpError
    from openstack.config.cloud_region import CloudRegion
    from requests import Response

SCOPE = re.compile(r"(project|tenant)_(id|name|domain_id|domain_name)|domain_(id|name)|trust_id|system_scope")
"""Settings that say for what a token is to be, and not who asks."""
NAMED = 8
"""Projects that a message names at most."""


def without_domains(settings: Mapping[str, Any]) -> str:
    """Say which domain is missing, where a user or a project is named without one; else return nothing."""
    missing = [
        f"OS_{owner.upper()}_DOMAIN_NAME ({owner}_domain_name)"
        for owner, name in (("user", "username"), ("project", "project_name"))
        if settings.get(name)
        and not any(settings.get(f"{kind}_domain_{key}") for kind in (owner, "default") for key in ("id", "name"))
    ]
    if not missing:
        return ""
    return f"A name counts within its domain, and this is missing: {' and '.join(missing)}; often it is Default."


def in_words(refused: "HttpError", auth: Mapping[str, Any], identity: str, how: str, source: str) -> str:
    """Return what an answer of a code 4xx, other than 401, says of the settings, and what to do."""
    status = refused.http_status
    domains = without_domains(auth)
    if status == 400 and domains:  # noqa: PLR2004 - as HTTP has it
        return f"Identity refuses the {how} (400). {domains}"
    # What asks for a token in another's place is answered 404 where that one is not valid.
    if status == 404 and "token" in auth and _by_identity(refused.response):  # noqa: PLR2004
        return f"Identity takes the {how} for no valid one (404): it {_ended(source)}"
    hint = "that auth_url is the root of Identity or its /v3"
    if identity.rstrip("/").endswith("/v2.0"):
        hint = "whether there is still v2.0, which auth_url asks for: most have v3 alone, below /v3"
    return (
        f"Identity answers the {how} with {status}: {in_one_line(str(refused.message))} Check {hint}, and the {source}."
    )


def _by_identity(response: "Response | None") -> bool:
    """Return whether it is Identity itself that answers: it says why in JSON; another service has no such path."""
    try:
        document = json.loads(response.text) if response is not None else None
    except ValueError:
        return False
    return isinstance(document, dict) and isinstance(document.get("error"), dict)


def why_refused(settings: "CloudRegion", identity: str, source: str) -> str:
    """Return what may be wrong with credentials that Identity refuses with 401.

    Whether it is the project is asked of Identity, without one.
    """
    auth: Mapping[str, Any] = settings.config["auth"]
    scope = sorted(name for name in auth if SCOPE.fullmatch(name) and auth[name])
    if "applicationcredential" in str(settings.config["auth_type"]):
        if scope:
            return f"An application credential is for its own project: leave out {', '.join(scope)} (OS_*)."
        return f"Check its id and its secret in the {source}: it may have been deleted, or have ended."
    if "token" in auth:
        return f"The token {_ended(source)}"
    project = auth.get("project_name") or auth.get("project_id")
    if project and (known := _projects(settings, auth, identity)) is not None:
        projects = in_one_line(", ".join(known[:NAMED])) or "no project at all: it needs a role in one"
        return (
            f"User and password are right, and the user has no role in project {project!r}, or there is none of this"
            f" name. It may act for: {projects}. Set OS_PROJECT_NAME, or project_name in clouds.yaml."
        )
    return f"Check the names, domains and secrets of the {source}; the project must be one of this user."


def _ended(source: str) -> str:
    """Return what may be wrong with a token, and how to come by another one."""
    return (
        "has ended, was revoked, or is another service's. Get a new one, for instance by `openstack token issue`, and"
        f" put it into the {source}."
    )


def _projects(settings: "CloudRegion", auth: Mapping[str, Any], identity: str) -> list[str] | None:
    """Return the projects of a user whose password is right; ``None`` where it is not, or nothing can be found out."""
    from keystoneauth1 import exceptions, loading

    who = {name: value for name, value in auth.items() if not SCOPE.fullmatch(name)}
    session, root = settings.get_session(), identity.rstrip("/")
    try:
        plugin: Any = loading.get_plugin_loader(settings.config["auth_type"]).load_from_options(**who)
        token = plugin.get_access(session).auth_token
        SECRETS.keep(token)
        target = f"{root if root.endswith('/v3') else f'{root}/v3'}/auth/projects"
        answer = session.get(target, headers={"X-Auth-Token": token}, authenticated=False).json()
        return sorted(str(project["name"]) for project in answer["projects"])
    except (exceptions.ClientException, ValueError, TypeError, KeyError, AttributeError):
        return None
    finally:
        session.session.close()
