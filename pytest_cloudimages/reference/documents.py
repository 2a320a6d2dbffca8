"""The JSON documents of the identity service, and of versions."""

from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from .identity import DOMAIN, Project, Token

REGION = "RegionOne"
INTERFACES = ("public", "internal", "admin")

IMAGE_VERSIONS = (
    ("v2.16", "CURRENT"),
    ("v2.15", "SUPPORTED"),
    ("v2.9", "SUPPORTED"),
    ("v2.7", "SUPPORTED"),
    ("v2.6", "SUPPORTED"),
    ("v2.5", "SUPPORTED"),
    ("v2.4", "SUPPORTED"),
    ("v2.3", "SUPPORTED"),
    ("v2.2", "SUPPORTED"),
    ("v2.1", "SUPPORTED"),
    ("v2.0", "SUPPORTED"),
)


def time_of_day(moment: datetime, timespec: str = "seconds") -> str:
    """Return a time in UTC as ISO 8601 with a Z."""
    return moment.replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def image_versions(url: str) -> dict[str, object]:
    """Return the versions of the image API, as Glance lists them at its root."""
    links = [{"rel": "self", "href": f"{url}/v2/"}]
    return {"versions": [{"id": number, "status": status, "links": links} for number, status in IMAGE_VERSIONS]}


def identity_v2(url: str) -> dict[str, object]:
    """Return the description of version 2.0 of the identity API."""
    return _identity_version(url, "v2.0", "v2.0", "2014-04-17")


def access(given: Token, url: str) -> dict[str, object]:
    """Return the answer of version 2.0 to who signs in; the tenant's name is its id, the number of an account."""
    user, account = given.user, given.user.project.id
    services = (("image", "cloudImages", f"{url}/v2"), ("identity", "cloudIdentity", f"{url}/identity/v2.0"))
    return {
        "access": {
            "token": {
                "id": given.value,
                "expires": time_of_day(given.expires_at, "milliseconds"),
                "tenant": {"id": account, "name": account},
                "RAX-AUTH:authenticatedBy": [method.upper() for method in given.methods],
            },
            "serviceCatalog": [
                {
                    "name": name,
                    "type": kind,
                    "endpoints": [
                        {"publicURL": address, "internalURL": address, "region": REGION, "tenantId": account}
                    ],
                }
                for kind, name, address in services
            ],
            "user": {
                "id": user.id,
                "name": user.name,
                "roles": [{"id": _id(role), "name": role, "tenantId": account} for role in user.roles],
                "RAX-AUTH:defaultRegion": REGION,
            },
        }
    }


def identity_version(url: str) -> dict[str, object]:
    """Return the description of version 3 of the identity API."""
    return _identity_version(url, "v3.14", "v3", "2020-04-07")


def _identity_version(url: str, number: str, path: str, updated: str) -> dict[str, object]:
    return {
        "id": number,
        "status": "stable",
        "updated": f"{updated}T00:00:00Z",
        "links": [{"rel": "self", "href": f"{url}/identity/{path}/"}],
        "media-types": [{"base": "application/json", "type": f"application/vnd.openstack.identity-{path}+json"}],
    }


def token(given: Token, url: str) -> dict[str, object]:
    """Return the description of a token, with the catalogue of the services at `url`."""
    user, project = given.user, given.user.project
    described: dict[str, object] = {
        "methods": list(given.methods),
        "user": {"id": user.id, "name": user.name, "domain": DOMAIN, "password_expires_at": None},
        "issued_at": time_of_day(given.issued_at, "microseconds"),
        "expires_at": time_of_day(given.expires_at, "microseconds"),
        "audit_ids": [_id(given.value)[:22]],
    }
    if given.scoped:
        described |= {
            "project": {"id": project.id, "name": project.name, "domain": DOMAIN},
            "is_domain": False,
            "roles": [{"id": _id(role), "name": role} for role in user.roles],
            "catalog": [
                # Glance's endpoint is its root; the version is for the client to find.
                _service("image", "glance", url),
                _service("identity", "keystone", f"{url}/identity"),
                _service("object-store", "swift", f"{url}/object-store/v1/AUTH_{project.id}"),
            ],
        }
    return {"token": described}


def projects(own: Project, url: str) -> dict[str, object]:
    """Return the list of the one project that a user of ours may act for."""
    entry = {"id": own.id, "name": own.name, "domain_id": DOMAIN["id"], "enabled": True, "is_domain": False}
    return {"projects": [entry], "links": {"self": f"{url}/identity/v3/auth/projects", "previous": None, "next": None}}


def _service(kind: str, name: str, url: str) -> dict[str, object]:
    return {
        "id": _id(name),
        "type": kind,
        "name": name,
        "endpoints": [
            {
                "id": _id(f"{name} {interface}"),
                "interface": interface,
                "region": REGION,
                "region_id": REGION,
                "url": url,
            }
            for interface in INTERFACES
        ],
    }


def _id(name: str) -> str:
    return uuid5(NAMESPACE_URL, name).hex
