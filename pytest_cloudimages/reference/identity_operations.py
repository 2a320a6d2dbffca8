"""The operations of the identity service, in its versions 2.0 and 3."""

from http import HTTPStatus

from . import bodies, documents
from .identity import Identity
from .messages import Reply, Request
from .refusals import NotFound, Unauthorized


class IdentityOperations:
    """Tokens and versions of the identity service; every operation is a method."""

    identity: Identity
    url: str

    def identity_versions(self, request: Request) -> Reply:  # noqa: ARG002
        """GET /identity."""
        versions = {"values": [documents.identity_version(self.url), documents.identity_v2(self.url)]}
        return Reply.of_json({"versions": versions}, HTTPStatus.MULTIPLE_CHOICES)

    def identity_version(self, request: Request) -> Reply:  # noqa: ARG002
        """GET /identity/v3."""
        return Reply.of_json({"version": documents.identity_version(self.url)})

    def identity_v2(self, request: Request) -> Reply:  # noqa: ARG002
        """GET /identity/v2.0."""
        return Reply.of_json({"version": documents.identity_v2(self.url)})

    def issue_access(self, request: Request) -> Reply:
        """POST /identity/v2.0/tokens."""
        token = self.identity.authenticate_v2(bodies.parsed(request.body))
        return Reply.of_json(documents.access(token, self.url), headers=(("Vary", "X-Auth-Token"),))

    def revoke_access(self, request: Request) -> Reply:
        """DELETE /identity/v2.0/tokens."""
        self.identity.revoke(self.identity.validate(request.headers.get("X-Auth-Token")).value)
        return Reply(HTTPStatus.NO_CONTENT)

    def issue_token(self, request: Request) -> Reply:
        """POST /identity/v3/auth/tokens."""
        token = self.identity.authenticate(bodies.parsed(request.body))
        subject = (("X-Subject-Token", token.value), ("Vary", "X-Auth-Token"))
        return Reply.of_json(documents.token(token, self.url), HTTPStatus.CREATED, subject)

    def validate_token(self, request: Request) -> Reply:
        """GET /identity/v3/auth/tokens."""
        self.identity.validate(request.headers.get("X-Auth-Token"))
        try:
            token = self.identity.validate(request.headers.get("X-Subject-Token"))
        except Unauthorized:
            raise NotFound("There is no such token.") from None
        subject = (("X-Subject-Token", token.value), ("Vary", "X-Auth-Token"))
        return Reply.of_json(documents.token(token, self.url), headers=subject)

    def revoke_token(self, request: Request) -> Reply:
        """DELETE /identity/v3/auth/tokens."""
        self.validate_token(request)
        self.identity.revoke(request.headers["X-Subject-Token"])
        return Reply(HTTPStatus.NO_CONTENT)

    def projects_of_token(self, request: Request) -> Reply:
        """GET /identity/v3/auth/projects."""
        token = self.identity.validate(request.headers.get("X-Auth-Token"))
        return Reply.of_json(documents.projects(token.user.project, self.url))
