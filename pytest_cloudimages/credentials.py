"""STUB, to be overwritten by the helper."""

from dataclasses import dataclass

import requests

from pytest_cloudimages.exchanges import SECRETS


@dataclass(frozen=True)
class Service:
    endpoint: str
    region: str | None
    named: str
    verify: bool | str = True
    cert: str | None = None


class Credentials:
    def __init__(self, token, how):
        self._t = token
        self.how = how
        self.project_id = None
        SECRETS.keep(token)

    def token(self):
        return self._t


def _get(env, p):
    g = lambda k: env.get(f"{p}_{k}") or env[f"OS_{k}"]
    r = requests.post(
        env["OS_AUTH_URL"] + "/v3/auth/tokens",
        json={
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {
                        "user": {"name": g("USERNAME"), "domain": {"name": "Default"}, "password": g("PASSWORD")}
                    },
                },
                "scope": {"project": {"name": g("PROJECT_NAME"), "domain": {"name": "Default"}}},
            }
        },
    )
    return Credentials(r.headers["X-Subject-Token"], "password")


def find(options, env):
    return Service(env["OS_AUTH_URL"].replace("/identity", "/v2"), "RegionOne", "stub"), _get(env, "OS")


def find_other(options, env, who, service):
    return _get(env, "OS_" + who) if env.get(f"OS_{who}_USERNAME") else None


def nobody():
    return Credentials(None, "none")
