"""Ways to sign in to a real Keystone, and what each mistake is told: one line that says what to do, and no traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.glance.conftest import Cloud

    Variables = dict[str, str]

ASKED = ("--profile", "quick", "--select", "TAG-ADD-01")


def without(variables: Variables, *names: str, **others: str) -> Variables:
    """Return variables without some, and with others."""
    return {name: value for name, value in variables.items() if name not in names} | others


def new_token(cloud: Cloud) -> str:
    """Return a token of the tester's."""
    return str(cloud.client().get_token())


def with_token(cloud: Cloud, token: str, **others: str) -> Variables:
    """Return the variables of a tester who brings a token that Keystone exchanges."""
    return without(cloud.own, "OS_USERNAME", "OS_PASSWORD", "OS_USER_DOMAIN_NAME", OS_TOKEN=token, **others)


def revoked(cloud: Cloud) -> str:
    """Return a token that was revoked before Glance saw it."""
    token = new_token(cloud)
    cloud.client().delete("/auth/tokens", headers={"X-Subject-Token": token})
    return token


def application_credential(cloud: Cloud, **others: str) -> Variables:
    """Return the variables of a new application credential."""
    client = cloud.client()
    asked = {"application_credential": {"name": f"suite-{len(others)}-{new_token(cloud)[-8:]}"}}
    path = f"/users/{client.get_user_id()}/application_credentials"
    made = client.post(path, json=asked).json()["application_credential"]
    return {
        "OS_AUTH_URL": cloud.auth_url,
        "OS_AUTH_TYPE": "v3applicationcredential",
        "OS_APPLICATION_CREDENTIAL_ID": made["id"],
        "OS_APPLICATION_CREDENTIAL_SECRET": made["secret"],
        **others,
    }


def without_a_role(cloud: Cloud, *left_out: str) -> Variables:
    """Return the variables of a user who has no role in any project."""
    name = f"roleless-{len(left_out)}"
    user = {"name": name, "password": "known-to-all", "domain_id": "default"}
    cloud.client("OS_ADMIN").post("/users", json={"user": user})
    return without(cloud.own, *left_out, OS_USERNAME=name, OS_PASSWORD="known-to-all")


def reader(cloud: Cloud) -> Variables:
    """Return the variables of a user who may read and no more."""
    names = {"OS_USERNAME": "OS_READER_USERNAME", "OS_PASSWORD": "OS_READER_PASSWORD"}
    return cloud.own | {name: cloud.environment[theirs] for name, theirs in names.items()}


def brought(cloud: Cloud, token: str) -> Variables:
    """Return the variables of a tester who names the endpoint, and brings a token that is used as it is."""
    return {"CLOUDIMAGES_ENDPOINT": cloud.glance, "CLOUDIMAGES_TOKEN": token}


WAYS: dict[str, Callable[[Cloud], Variables]] = {
    "a password": lambda cloud: cloud.own,
    "a password, at the root of Identity": lambda cloud: cloud.own | {"OS_AUTH_URL": cloud.auth_url[: -len("/v3")]},
    "an application credential": application_credential,
    "a token that is exchanged": lambda cloud: with_token(cloud, new_token(cloud)),
    "a token as it is": lambda cloud: brought(cloud, new_token(cloud)),
}

MISTAKES: dict[str, tuple[Callable[[Cloud], Variables], int, list[str]]] = {
    "a wrong password": (
        lambda cloud: cloud.own | {"OS_PASSWORD": "x"},
        2,
        ["(401)", "Check the names, domains and secrets"],
    ),
    "a wrong user": (
        lambda cloud: cloud.own | {"OS_USERNAME": "nobody"},
        2,
        ["of user nobody", "(401)", "Check the names"],
    ),
    "a wrong domain": (lambda cloud: cloud.own | {"OS_USER_DOMAIN_NAME": "Nowhere"}, 2, ["(401)", "domains"]),
    "a wrong project": (
        lambda cloud: cloud.own | {"OS_PROJECT_NAME": "nothing"},
        2,
        ["no role in project 'nothing'", "It may act for: cloudimages.", "OS_PROJECT_NAME"],
    ),
    "another's project": (
        lambda cloud: cloud.own | {"OS_PROJECT_NAME": "other"},
        2,
        ["no role in project 'other'", "It may act for: cloudimages."],
    ),
    "a user without a role": (without_a_role, 2, ["no role in project 'cloudimages'", "no project at all"]),
    "a user without a role and a project": (
        lambda cloud: without_a_role(cloud, "OS_PROJECT_NAME", "OS_PROJECT_DOMAIN_NAME"),
        2,
        ["token without a project", "OS_PROJECT_NAME"],
    ),
    "no project": (
        lambda cloud: without(cloud.own, "OS_PROJECT_NAME", "OS_PROJECT_DOMAIN_NAME"),
        2,
        ["token without a project", "OS_PROJECT_NAME"],
    ),
    "a user who may not create": (reader, 3, ["403", "the role of this user does not allow it", "--image ID"]),
    "a wrong region": (
        lambda cloud: cloud.own | {"OS_REGION_NAME": "Nowhere"},
        2,
        ["no image service in region 'Nowhere', but in: RegionOne", "OS_REGION_NAME"],
    ),
    "a wrong secret": (
        lambda cloud: application_credential(cloud, OS_APPLICATION_CREDENTIAL_SECRET="x"),
        2,
        ["application credential", "(401)", "its id and its secret"],
    ),
    "an application credential with a project": (
        lambda cloud: application_credential(cloud, OS_PROJECT_NAME="cloudimages", OS_PROJECT_DOMAIN_NAME="Default"),
        2,
        ["for its own project", "leave out", "project_name"],
    ),
    "a revoked token": (
        lambda cloud: with_token(cloud, revoked(cloud)),
        2,
        ["(404)", "has ended, was revoked", "openstack token issue"],
    ),
    "a revoked token, as it is": (lambda cloud: brought(cloud, revoked(cloud)), 2, ["refuses the token", "401"]),
    "an ended token": (
        lambda cloud: with_token(cloud, cloud.environment["CLOUDIMAGES_EXPIRED_TOKEN"]),
        2,
        ["(404)", "has ended, was revoked", "openstack token issue"],
    ),
    "an ended token, as it is": (
        lambda cloud: brought(cloud, cloud.environment["CLOUDIMAGES_EXPIRED_TOKEN"]),
        2,
        ["refuses the token", "401", "has not expired"],
    ),
    "no token at all": (lambda cloud: with_token(cloud, "abc"), 2, ["(404)", "another service's"]),
    "Glance for Keystone": (
        lambda cloud: cloud.own | {"OS_AUTH_URL": cloud.glance},
        2,
        ["another service", "v2.", "auth_url is the root of Identity"],
    ),
    "Glance's v2 for Keystone": (
        lambda cloud: cloud.own | {"OS_AUTH_URL": f"{cloud.glance}/v2"},
        2,
        ["another service", "auth_url is the root of Identity"],
    ),
    "Glance's v3 for Keystone": (
        lambda cloud: cloud.own | {"OS_AUTH_URL": f"{cloud.glance}/v3"},
        2,
        ["another service", "auth_url is the root of Identity"],
    ),
    "Glance for Keystone, with a token": (
        lambda cloud: with_token(cloud, new_token(cloud), OS_AUTH_URL=cloud.glance),
        2,
        ["another service", "auth_url is the root of Identity"],
    ),
    "Keystone's old version": (
        lambda cloud: cloud.own | {"OS_AUTH_URL": cloud.auth_url.replace("/v3", "/v2.0")},
        2,
        ["404", "v3 alone"],
    ),
    "no domain of the user": (
        lambda cloud: without(cloud.own, "OS_USER_DOMAIN_NAME"),
        2,
        ["missing: OS_USER_DOMAIN_NAME (user_domain_name)"],
    ),
    "no domain of the project": (
        lambda cloud: without(cloud.own, "OS_PROJECT_DOMAIN_NAME"),
        2,
        ["missing: OS_PROJECT_DOMAIN_NAME (project_domain_name)"],
    ),
    "no domains": (
        lambda cloud: without(cloud.own, "OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME"),
        2,
        ["OS_USER_DOMAIN_NAME (user_domain_name) and OS_PROJECT_DOMAIN_NAME (project_domain_name)"],
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_sign_in(cloud: Cloud, way: str) -> None:
    """Each leads to a verdict."""
    run = cloud.run(WAYS[way](cloud), *ASKED)

    assert run.status == 0, run.out
    assert run.verdicts["TAG-ADD-01"] == "pass"


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(
    cloud: Cloud, mistake: str, record_property: Callable[[str, object], None]
) -> None:
    """The line says what was given, what came and what to do."""
    given, status, words = MISTAKES[mistake]
    run = cloud.run(given(cloud), *ASKED)
    record_property("message", run.message)

    assert run.status == status, run.out
    for word in words:
        assert word in run.message
    assert "Traceback" not in run.out
