"""The embedded service as requests and replies; no sockets."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from pytest_cloudimages.reference.app import App, Headers, Reply, Request
from pytest_cloudimages.spec import contracts

PATCH = "application/openstack-images-v2.1-json-patch"

Send = Callable[..., Reply]


@pytest.fixture
def app() -> App:
    """Return an app without images."""
    return App()


@pytest.fixture
def send(app: App) -> Send:
    """Send a request as one of the users."""
    tokens = {name: app.identity.issue(name).value for name in app.identity.users}

    def send(method: str, target: str, body: object = None, user: str | None = "tester", **headers: str) -> Reply:
        fields = {"Content-Type": "application/json"} | {key.replace("_", "-"): value for key, value in headers.items()}
        if user:
            fields["X-Auth-Token"] = tokens[user]
        octets = b"" if body is None else json.dumps(body).encode()
        return app.handle(Request(method, target, Headers(fields.items()), octets))

    return send


@pytest.fixture
def image(send: Send) -> str:
    """Return the path of a new image."""
    return str(document(send("POST", "/v2/images", {}))["self"])


def document(reply: Reply) -> dict[str, Any]:
    """Read the JSON object of an answer."""
    parsed = reply.json()
    assert isinstance(parsed, dict)
    return parsed


def header(reply: Reply, name: str) -> str | None:
    """Read a header of an answer."""
    return Headers(reply.headers).get(name)


class TestTags:
    """The tag resource."""

    @pytest.mark.parametrize(
        ("raw", "tag"),
        [
            ("a+b", "a+b"),
            ("a%2Fb", "a/b"),
            ("a%2fb", "a/b"),
            ("%6Diracle", "miracle"),
            ("%2525", "%25"),
            (".", "."),
            ("..", ".."),
            ("%2e%2E", ".."),
            ("%C3%A9", "\u00e9"),
            ("e%CC%81", "e\u0301"),
            ("%00%20x%0A", "\0 x\n"),
            ("a?b=c", "a"),
        ],
    )
    def test_the_segment_is_decoded_once(self, send: Send, image: str, raw: str, tag: str) -> None:
        """What stands between the slashes is the tag, decoded as UTF-8."""
        assert send("PUT", f"{image}/tags/{raw}").status == 204
        assert document(send("GET", image))["tags"] == [tag]
        assert send("DELETE", f"{image}/tags/{raw}").status == 204

    @pytest.mark.parametrize(
        ("raw", "status"),
        [
            ("%zz", 400),
            ("%", 400),
            ("a%4", 400),
            ("a?%zz", 400),
            ("a#b", 400),
            ("%FF", 400),
            ("%ED%A0%80", 400),
            ("\u00c3\u00a9", 400),
            ("x" * 256, 400),
            ("", 404),
            ("a/", 404),
            ("a/b", 404),
        ],
    )
    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    def test_what_is_no_tag(self, send: Send, image: str, method: str, raw: str, status: int) -> None:
        """A malformed target is 400, another path 404, and nothing changes."""
        expected = 404 if method == "DELETE" and len(raw) > 255 else status

        assert send(method, f"{image}/tags/{raw}").status == expected
        assert document(send("GET", image))["tags"] == []

    @pytest.mark.parametrize("media_type", ["application/json", "text/xml", ""])
    def test_bodies_are_ignored(self, send: Send, image: str, media_type: str) -> None:
        """A body of any type neither fails nor counts."""
        assert send("PUT", f"{image}/tags/a", {"tag": "b"}, Content_Type=media_type).status == 204
        assert document(send("GET", image))["tags"] == ["a"]

    def test_a_success_is_empty(self, send: Send, image: str) -> None:
        """A 204 has Date and a request id, and nothing about content."""
        reply = send("PUT", f"{image}/tags/a")

        assert reply.body == b""
        assert {name for name, _ in reply.headers} == {"Date", "x-openstack-request-id"}

    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "OPTIONS", "TRACE"])
    def test_other_methods(self, send: Send, image: str, method: str) -> None:
        """A known method that a tag has not is 405 with Allow."""
        reply = send(method, f"{image}/tags/a")

        assert (reply.status, header(reply, "Allow")) == (405, "PUT, DELETE")

    @pytest.mark.parametrize("method", ["FOO", "put", "Put"])
    def test_unknown_methods(self, send: Send, image: str, method: str) -> None:
        """Methods are case-sensitive, and an unknown one is 501."""
        assert send(method, f"{image}/tags/a").status == 501


class TestAuthentication:
    """Tokens, and what they open."""

    @pytest.mark.parametrize("method", ["PUT", "FOO"])
    @pytest.mark.parametrize("path", ["images/no/tags/a", "images/no/tags/%zz", "nowhere", ""])
    def test_comes_first(self, send: Send, method: str, path: str) -> None:
        """Without a token nothing else is looked at."""
        for prefix in ("v2", "%76%32"):
            reply = send(method, f"/{prefix}/{path}", user=None)

            assert reply.status == 401
            assert header(reply, "WWW-Authenticate") == 'Keystone uri="http://127.0.0.1/identity"'

    def test_an_expired_token(self, app: App) -> None:
        """A token past its time is no token."""
        token = app.identity.issue("tester", lifetime=timedelta(seconds=-1)).value

        assert app.handle(Request("GET", "/v2/images", Headers([("x-auth-token", token)]))).status == 401

    @pytest.mark.parametrize(("user", "status"), [("reader", 403), ("other", 404), ("admin", 204)])
    def test_who_may_tag(self, send: Send, image: str, user: str, status: int) -> None:
        """A reader sees and may not, a stranger sees nothing, an administrator may."""
        assert send("PUT", f"{image}/tags/a", user=user).status == status


class TestErrors:
    """How an error is written."""

    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            ("application/json", "application/json"),
            ("text/html, application/json;q=0.5", "application/json"),
            ("*/*", "text/plain; charset=utf-8"),
            ("application/json;q=0", "text/plain; charset=utf-8"),
        ],
    )
    def test_follow_accept(self, send: Send, accept: str, media_type: str) -> None:
        """An error is JSON for those who ask for it."""
        assert header(send("GET", "/v2/nowhere", Accept=accept), "Content-Type") == media_type

    def test_are_json_by_default(self, send: Send) -> None:
        """Without Accept an error is JSON as Glance writes it."""
        assert document(send("GET", "/v2/nowhere")) == {
            "code": "404 Not Found",
            "title": "Not Found",
            "message": "The resource could not be found.",
        }


class TestImages:
    """The image resource."""

    def test_create(self, send: Send) -> None:
        """A new image is 201 with Location, and shared unless it says otherwise."""
        reply = send("POST", "/v2/images", {"name": "n", "tags": ["a", "a"], "os_distro": "debian"})
        created = document(reply)

        assert (reply.status, header(reply, "Location")) == (201, f"http://127.0.0.1{created['self']}")
        assert (created["tags"], created["visibility"], created["os_distro"]) == (["a"], "shared", "debian")

    @pytest.mark.parametrize("media_type", ["application/json", "", "application/json-patch+json"])
    def test_patch_has_its_own_type(self, send: Send, image: str, media_type: str) -> None:
        """Any other media type is 415 with Accept-Patch."""
        reply = send("PATCH", image, [], Content_Type=media_type)

        assert reply.status == 415
        assert PATCH in (header(reply, "Accept-Patch") or "")

    @pytest.mark.parametrize(
        ("patch", "status"),
        [
            ([], 200),
            ([{"op": "replace", "path": "/tags", "value": ["a"]}], 200),
            ([{"op": "add", "path": "/~0~1.ssh~1", "value": "x"}], 200),
            ([{"op": "replace", "path": "/tags/-", "value": "a"}], 400),
            ([{"op": "replace", "path": "name", "value": "a"}], 400),
            ([{"op": "replace", "path": "/name"}], 400),
            ([{"op": "move", "path": "/name", "value": "a"}], 400),
            ([{"op": [], "path": "/name", "value": "a"}], 400),
            ([{"path": "/name", "value": "a"}], 400),
            ({}, 400),
            ([1], 400),
            ([{"op": "replace", "path": "/size", "value": 1}], 403),
            ([{"op": "replace", "path": "/owner", "value": "x"}], 403),
            ([{"op": "remove", "path": "/absent"}], 409),
        ],
        ids=str,
    )
    def test_patch(self, send: Send, image: str, patch: object, status: int) -> None:
        """A patch is applied, or refused for what it is."""
        assert send("PATCH", image, patch, Content_Type=PATCH).status == status

    def test_patch_in_the_old_way(self, send: Send, image: str) -> None:
        """Version 2.0 names the path with the operation."""
        old = PATCH.replace("2.1", "2.0")

        assert document(send("PATCH", image, [{"replace": "/name", "value": "n"}], Content_Type=old))["name"] == "n"

    def test_deleted_is_gone(self, send: Send, image: str) -> None:
        """A deleted image is 404 to everything."""
        assert send("DELETE", image).status == 204
        assert [send(*step).status for step in (("GET", image), ("PUT", f"{image}/tags/a"))] == [404, 404]

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
    def test_a_body_that_is_no_json(self, app: App, body: bytes) -> None:
        """What cannot be parsed is 400."""
        token = app.identity.issue("tester").value
        headers = Headers([("X-Auth-Token", token), ("Content-Type", "application/json")])

        assert app.handle(Request("POST", "/v2/images", headers, body)).status == 400

    def test_schemas_hold_for_what_is_served(self, send: Send, image: str) -> None:
        """Images, lists and members are valid under the schemas of the service."""
        send("POST", f"{image}/members", {"member": "someone"})
        for name, path in (("image", image), ("images", "/v2/images"), ("members", f"{image}/members")):
            jsonschema.Draft4Validator(document(send("GET", f"/v2/schemas/{name}"))).validate(
                document(send("GET", path))
            )
        assert send("GET", "/v2/schemas/bogus").status == 404


class TestLists:
    """The list of images."""

    def test_tags_filter_with_and(self, send: Send) -> None:
        """Every tag asked for must be there, exactly as it is written."""
        for tags in (["a"], ["a", "b"], ["a", " b"], ["a", "c+d"]):
            send("POST", "/v2/images", {"name": "".join(tags), "tags": tags})

        def names(query: str) -> list[str]:
            return [each["name"] for each in document(send("GET", f"/v2/images?{query}"))["images"]]

        assert names("tag=a&tag=b") == ["ab"]
        assert names("tag=%20b") == ["a b"]
        assert names("tag=c%2Bd") == ["ac+d"]

    def test_pages_follow_one_another(self, send: Send) -> None:
        """Following next yields every image once, the newest first, and the query is kept."""
        made = [document(send("POST", "/v2/images", {"tags": ["a&b"]}))["id"] for _ in range(30)]
        seen, target = [], "/v2/images?limit=7&tag=a%26b"
        while target:
            page = document(send("GET", target))
            assert page["first"] == "/v2/images?limit=7&tag=a%26b"
            seen += [each["id"] for each in page["images"]]
            target = page.get("next", "")

        assert seen == made[::-1]

    @pytest.mark.parametrize(
        "query",
        [
            "limit=-1",
            "limit=x",
            "marker=no",
            "sort_key=colour",
            "sort_dir=up",
            "visibility=x",
            "member_status=x",
            "status=x",
            "size_min=x",
            "tag=%FF",
        ],
    )
    def test_what_cannot_be_asked(self, send: Send, query: str) -> None:
        """A value that makes no sense is 400."""
        assert send("GET", f"/v2/images?{query}").status == 400

    def test_sorting(self, send: Send) -> None:
        """A key and a direction set the order, and what has no value comes first of all."""
        for name in ("b", None, "a"):
            send("POST", "/v2/images", {"name": name})
        listed = document(send("GET", "/v2/images?sort_key=name&sort_dir=asc"))["images"]

        assert [each["name"] for each in listed] == [None, "a", "b"]

    def test_a_consumer_lists_what_it_accepted(self, app: App, send: Send, image: str) -> None:
        """A shared image is in the consumer's list when accepted, and on demand before."""
        project = app.identity.users["other"].project.id
        send("POST", f"{image}/members", {"member": project})

        def listed(query: str = "") -> int:
            return len(document(send("GET", f"/v2/images{query}", user="other"))["images"])

        assert (listed(), listed("?visibility=shared&member_status=pending")) == (0, 1)
        assert send("PUT", f"{image}/members/{project}", {"status": "accepted"}, user="other").status == 200
        assert listed() == 1
        assert send("PUT", f"{image}/tags/a", user="other").status == 403


class TestIdentity:
    """Tokens and versions."""

    def test_a_wrong_password(self, app: App) -> None:
        """Who does not know the password gets no token."""
        user = {"name": "tester", "domain": {"name": "Default"}, "password": "wrong"}
        body = json.dumps({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}).encode()

        assert app.handle(Request("POST", "/identity/v3/auth/tokens", body=body)).status == 401

    def test_a_revoked_token(self, app: App) -> None:
        """A token that was revoked opens nothing more."""
        token = app.identity.issue("tester").value
        headers = Headers([("X-Auth-Token", token), ("X-Subject-Token", token)])

        statuses = [
            app.handle(Request(*step, headers)).status
            for step in (
                ("GET", "/identity/v3/auth/tokens"),
                ("GET", "/v2/images"),
                ("DELETE", "/identity/v3/auth/tokens"),
                ("GET", "/v2/images"),
            )
        ]

        assert statuses == [200, 200, 204, 401]

    @pytest.mark.parametrize(
        ("path", "status"), [("/", 300), ("/versions", 200), ("/identity", 300), ("/identity/v3", 200)]
    )
    def test_versions_are_for_everyone(self, send: Send, path: str, status: int) -> None:
        """Versions are told without a token."""
        assert send("GET", path, user=None).status == status


class TestIdentityV2:
    """Tokens as Rackspace gives them."""

    @staticmethod
    def ask(app: App, auth: object) -> Any:
        """Ask for a token."""
        return app.handle(Request("POST", "/identity/v2.0/tokens", body=json.dumps({"auth": auth}).encode()))

    def test_who_proves_who_it_is_gets_a_token_that_opens_the_service(self, app: App) -> None:
        """By password, by API key and by an earlier token; the answer fits the schema."""
        user = app.identity.users["tester"]
        password = {"passwordCredentials": {"username": user.name, "password": user.password}}
        first = self.ask(app, password | {"tenantId": user.project.id})
        token = document(first)["access"]["token"]["id"]
        key = {"RAX-KSKEY:apiKeyCredentials": {"username": user.name, "apiKey": user.api_key}}
        others = [self.ask(app, auth) for auth in (key, {"token": {"id": token}, "tenantName": user.project.id})]

        for reply in (first, *others):
            assert reply.status == 200
            assert contracts.problems("identity-v2-access", document(reply)) == []
            headers = Headers([("X-Auth-Token", document(reply)["access"]["token"]["id"])])
            assert app.handle(Request("GET", "/v2/images", headers)).status == 200

    @pytest.mark.parametrize(
        ("auth", "status"),
        [
            ({"passwordCredentials": {"username": "tester", "password": "wrong"}}, 401),
            ({"RAX-KSKEY:apiKeyCredentials": {"username": "tester", "apiKey": "wrong"}}, 401),
            ({"token": {"id": "unknown"}, "tenantId": "x"}, 404),
            ({"token": {"id": "unknown"}}, 400),
            ({"passwordCredentials": {"username": "tester"}}, 400),
            ({"tenantId": "x", "tenantName": "x"}, 400),
            ({}, 400),
            ("none", 400),
        ],
    )
    def test_who_does_not_prove_it_is_refused(self, app: App, auth: object, status: int) -> None:
        """With the codes that Identity documents."""
        assert self.ask(app, auth).status == status

    def test_a_token_is_revoked_by_itself(self, app: App) -> None:
        """And opens nothing more."""
        headers = Headers([("X-Auth-Token", app.identity.issue("tester").value)])

        assert app.handle(Request("DELETE", "/identity/v2.0/tokens", headers)).status == 204
        assert app.handle(Request("GET", "/v2/images", headers)).status == 401
        assert app.handle(Request("DELETE", "/identity/v2.0/tokens", headers)).status == 401
