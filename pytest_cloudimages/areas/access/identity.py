"""What Identity answers to who signs in, rightly and wrongly, and what its tokens open; each request is sent once.

No request can harm who it is about: a wrong password is tried of a user that there is not, and of the tester's own user
a single time and only where the tester says that nobody is locked out for it. Only a token is revoked that was issued
here and that nobody else was handed.
"""

import enum
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from pytest_cloudimages.areas.access.accesses import Access
from pytest_cloudimages.areas.common.offers import NOT_OFFERED
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.auth.credentials import Credentials
from pytest_cloudimages.client.auth.identity import Door, told
from pytest_cloudimages.client.exchange import TOKEN
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.trouble import TROUBLE
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run

V2, V3 = "/v2.0/tokens", "/v3/auth/tokens"
UNHEARD = TROUBLE | {413}
"""Statuses that say nothing of who signs in."""
UNAUTHORIZED = 401
A_DAY, JUST_NOW = 24 * 3600.0, 5.0
"""Seconds that a token lives by default, and within which one that has that long to live was issued."""


class Question(enum.StrEnum):
    """What Identity, or the image service with a token of its, was asked."""

    PASSWORD = "a token for a password"  # noqa: S105 - words
    AGAIN = "a second token for the same password"
    ANEW = "a token for the same password, once another was refused"
    API_KEY = "a token for an API key"
    API_KEY_ALONE = "a token for an API key, without a tenant"
    ANEW_BY_KEY = "a token for the same API key, once the one that was issued for it was revoked"
    ANOTHER_TENANT = "a token for the password of another tenant's user"
    NO_JSON = "a token for a body that is no JSON"
    UNKNOWN_USER = "a token for a user that there is not"
    UNKNOWN_USER_BY_KEY = "a token for an API key of a user that there is not"
    WRONG_PASSWORD = "a token for a wrong password of the tester's"  # noqa: S105 - words
    WRONG_KEY = "a token for a wrong API key of the tester's"
    NEARLY_RIGHT = "a token for what begins like the password or the API key, or is the other one of them"
    TWO_TENANTS = "a token for a tenant that is given by its id and by its name"
    TWO_TENANTS_BY_KEY = "a token for an API key and a tenant that is given by its id and by its name"
    USED = "a list of images, with the second token"
    REVOKED = "the end of the second token"
    REVOKED_BY_KEY = "the end of the token that was issued for the API key"
    USED_AFTER = "a list of images, with the token that was revoked"
    V3 = "a token of version 3"
    V3_AGAIN = "a token of version 3 for another one"


SIGNED_IN = (Question.PASSWORD, Question.AGAIN, Question.API_KEY)


@dataclass(frozen=True, repr=False)
class IdentityAnswers(Collection):
    """What was answered to who signed in, and with the tokens that came of it."""

    answers: Mapping[Question, Answer]
    why: Mapping[Question, str] = field(default_factory=dict)
    """Why something was not asked for."""
    nearly: Sequence[Answer] = ()
    used: Sequence[Answer] = ()
    """Lists of images, with further tokens that were issued: for an API key, by version 3, after one was revoked."""
    tenant: str | None = None
    """The tenant that a token was asked for, where one was named."""

    @cases
    def used_further(self) -> Iterator[Case[Answer]]:
        """Return the answers to who used a further token."""
        for answer in self.used:
            yield Case(answer, [answer.exchange])

    @cases
    def nearly_right(self) -> Iterator[Case[Answer]]:
        """Return the answers to who signed in with all of a secret but its end."""
        for answer in self.nearly:
            yield Case(answer, [answer.exchange])

    @cases
    def to(self, *questions: Question) -> Iterator[Case[Answer]]:
        """Return the answers to some questions; *untested* where none of them was put."""
        found = [self.answers[question] for question in questions if question in self.answers]
        if not found:
            pytest.skip(next((self.why[question] for question in questions if question in self.why), "not asked"))
        for answer in found:
            yield Case(answer, [answer.exchange])

    @cases
    def answered(self, question: Question) -> Iterator[Case[Answer]]:
        """Return the answer to a question, if it was put."""
        if question in self.answers:
            yield Case(self.answers[question], [self.answers[question].exchange])

    @cases
    def accesses(self) -> Iterator[Case[Access]]:
        """Return what version 2.0 said to who signed in; *untested* where it let nobody in."""
        found = [self.answers[each] for each in SIGNED_IN if each in self.answers and self.answers[each].ok]
        if not found:
            why = next((self.why[each] for each in SIGNED_IN if each in self.why), "no password or API key was taken")
            pytest.skip(f"needs a token of Identity v2.0: {why}")
        for answer in found:
            yield Case(Access(answer), [answer.exchange])

    @cases
    def alone(self) -> Iterator[Case[Access]]:
        """Return what version 2.0 said to who named no tenant beside an API key, if that is the vendor's."""
        answer = self.answers.get(Question.API_KEY_ALONE)
        if answer is not None and answer.ok and Access(answer).is_the_vendors:
            yield Case(Access(answer), [answer.exchange])

    @cases
    def of_another(self) -> Iterator[Case[tuple[Access, Access]]]:
        """Return what version 2.0 said to a user of another tenant, and before to the tester, where that shows both."""
        answer, first = (self.answers.get(each) for each in (Question.ANOTHER_TENANT, Question.PASSWORD))
        if answer is not None and first is not None and answer.ok and first.ok:
            other, own = Access(answer), Access(first)
            if other.tenant and own.tenant and other.tenant != own.tenant:
                yield Case((other, own), [first.exchange, answer.exchange])


@workload(empty=lambda: IdentityAnswers({}), requests=(12, 34, 34, 34))
def identity_answers(run: Run) -> IdentityAnswers:
    """Sign in to Identity in every way, rightly and wrongly, use a token, revoke it and use it again."""
    door = run.owner.door()
    if door is None:
        return IdentityAnswers({}, dict.fromkeys(Question, "needs an Identity service: a token was given, and no more"))
    client = door.client(run.client)
    with closing(client.transport):
        prober = _Prober(run, door, client)
        prober.version_3()
        if why := prober.why_not_version_2():
            prober.why |= {question: why for question in Question if question is not Question.V3}
        else:
            prober.version_2()
    return IdentityAnswers(prober.answers, prober.why, prober.nearly, prober.used, prober.tenant)


class _Prober:
    def __init__(self, run: Run, door: Door, client: ImagesClient) -> None:
        self.run, self.door, self.client = run, door, client
        origin = client.transport.origin
        self.elsewhere = "" if origin == run.transport.origin else origin
        self.answers: dict[Question, Answer] = {}
        self.why: dict[Question, str] = {}
        self.nearly: list[Answer] = []
        """What was answered to who knows all of a secret but its end."""
        self.used: list[Answer] = []
        """Lists that were asked for with further tokens."""
        self.tenant = run.owner.project_id

    def why_not_version_2(self) -> str:
        """Return why Identity v2.0 cannot be asked; nothing where it can."""
        if self.door.named_v2:
            return ""
        answer = self._sent("GET", "/v2.0")
        data = answer.data if answer.ok else None
        version = data.get("version") if isinstance(data, dict) else None
        if not isinstance(version, dict) or not str(version.get("id")).startswith("v2"):
            return f"needs Identity v2.0, which is not offered: {answer.exchange}"
        return "" if self.door.in_default_domain else "needs a user of the default domain: Identity v2.0 knows no other"

    def version_3(self) -> None:
        body = self.door.of_v3(self.tenant)
        if body is None or self.door.named_v2:
            self.why[Question.V3] = "needs a password or an application credential, and Identity v3"
        else:
            self._ask(Question.V3, "POST", V3, json=body)
            if self.answers.get(Question.V3) and self.answers[Question.V3].status in NOT_OFFERED:
                self.why[Question.V3] = f"needs Identity v3, which is not offered: {self.answers.pop(Question.V3)}"
            elif self.run.rounds and "scope" in body["auth"]:
                self._by_a_token(body["auth"]["scope"])

    def _by_a_token(self, scope: object) -> None:
        """Ask for a further token by the one that was issued, if one was; an operator may not allow it."""
        if token := self._v3_token():
            identity = {"methods": ["token"], "token": {"id": token}}
            self._ask(Question.V3_AGAIN, "POST", V3, json={"auth": {"identity": identity, "scope": scope}})

    def version_2(self) -> None:
        password, key = self.door.by_password(), self.door.by_api_key()
        if password is None:
            no = "needs a user with a password"
            self.why |= dict.fromkeys((Question.PASSWORD, Question.AGAIN, Question.WRONG_PASSWORD), no)
            self.why |= dict.fromkeys((Question.USED, Question.REVOKED, Question.USED_AFTER), no)
        if key is None:
            no = "needs a user with an API key: set CLOUDIMAGES_API_KEY"
            self.why |= dict.fromkeys((Question.API_KEY, Question.WRONG_KEY), no)
        if password:
            self._sign_in(Question.PASSWORD, "passwordCredentials", password)
            self._sign_in(Question.AGAIN, "passwordCredentials", password)
        if key:
            self._sign_in(Question.API_KEY, "RAX-KSKEY:apiKeyCredentials", key)
            if self.run.rounds and self.tenant and self._token(Question.API_KEY):
                self._ask(Question.API_KEY_ALONE, "POST", V2, json={"auth": {"RAX-KSKEY:apiKeyCredentials": key}})
                SECRETS.keep(self._token(Question.API_KEY_ALONE))
        self._ask(Question.NO_JSON, "POST", V2, body=b"{no JSON", headers={"Content-Type": "application/json"})
        nobody = {"username": f"cloudimages-{secrets.token_hex(8)}", "password": secrets.token_hex(16)}
        self._sign_in(Question.UNKNOWN_USER, "passwordCredentials", nobody)
        if key and self.run.rounds:
            no_key = {"username": nobody["username"], "apiKey": nobody["password"]}
            self._sign_in(Question.UNKNOWN_USER_BY_KEY, "RAX-KSKEY:apiKeyCredentials", no_key)
        self._wrongly(password, key)
        self._by_two_tenants(password, key)
        if password:
            self._use_and_revoke()
        if self.run.rounds:
            self._revoke_by_key(key)
            self._by_another_tenant()

    def _wrongly(self, password: Mapping[str, str] | None, key: Mapping[str, str] | None) -> None:
        if not self.door.no_lockout:
            no = "needs a user that is not locked out for it: CLOUDIMAGES_NO_LOCKOUT=1 says that there is no such rule"
            self.why |= dict.fromkeys((Question.WRONG_PASSWORD, Question.WRONG_KEY), no)
            return
        wrong = secrets.token_hex(16)
        if password:
            self._sign_in(Question.WRONG_PASSWORD, "passwordCredentials", {**password, "password": wrong})
        if key:
            self._sign_in(Question.WRONG_KEY, "RAX-KSKEY:apiKeyCredentials", {**key, "apiKey": wrong})
        self._nearly_right(password, key)

    def _nearly_right(self, password: Mapping[str, str] | None, key: Mapping[str, str] | None) -> None:
        """Sign in with a secret whose end is cut, another or longer, or whose letters are of the other case.

        Nor is a password a key, nor a key a password: who signs in by the one may be asked for more than by the other.
        """
        if not self.run.rounds:
            return
        known = (("passwordCredentials", "password", password), ("RAX-KSKEY:apiKeyCredentials", "apiKey", key))
        for kind, name, given in known:
            if given and len(given[name]) > 1:
                secret = given[name]
                wrong = [secret[:-1], secret[:-1] + ("b" if secret.endswith("a") else "a"), f"{secret}a"]
                # An API key may be a number in hex, which is the same in capitals.
                wrong += [secret.swapcase()] if name == "password" and secret.swapcase() != secret else []
                other = ((key or {}) if name == "password" else (password or {})).values()
                wrong += [text for text in [*other][1:] if text != secret]
                for nearly in wrong:
                    SECRETS.keep(nearly)  # almost as good as the tester's
                    self._sign_in(Question.NEARLY_RIGHT, kind, {**given, name: nearly})
                    if Question.NEARLY_RIGHT in self.answers:
                        self.nearly.append(self.answers.pop(Question.NEARLY_RIGHT))

    def _by_two_tenants(self, password: Mapping[str, str] | None, key: Mapping[str, str] | None) -> None:
        known = (
            (Question.PASSWORD, "passwordCredentials", password),
            (Question.API_KEY, "RAX-KSKEY:apiKeyCredentials", key),
        )
        taken = [(name, given) for question, name, given in known if given and self._token(question)]
        if not taken or not self.tenant:
            self.why[Question.TWO_TENANTS] = "needs credentials that are taken, and a tenant whose id is known"
            return
        questions = (Question.TWO_TENANTS, Question.TWO_TENANTS_BY_KEY)[: 2 if self.run.rounds else 1]
        for question, (name, credentials) in zip(questions, taken, strict=False):
            both = {name: credentials, "tenantId": self.tenant, "tenantName": self.tenant}
            self._ask(question, "POST", V2, json={"auth": both})

    def _use_and_revoke(self) -> None:
        second = self._token(Question.AGAIN)
        why = "needs a token of Identity v2.0"
        if not second:
            self.why |= dict.fromkeys((Question.USED, Question.REVOKED, Question.USED_AFTER), why)
            return
        used = self._used(second)
        if used.status == UNAUTHORIZED and (anew := self._signed_in_anew()) not in (None, second):
            # Identity may hand out one token for all, and who else has it may have ended it.
            used = self._used(str(anew))
        self.answers[Question.USED] = used
        if self.run.rounds:
            further = (self._token(Question.API_KEY), self._v3_token())
            self.used += [self._used(token) for token in further if token and token != second]
        if self._is_ours_alone(second):
            self._revoke(second)
            return
        why = "needs a token that nobody else has: Identity hands out the one in use again"
        self.why |= dict.fromkeys((Question.REVOKED, Question.USED_AFTER), why)

    def _revoke_by_key(self, key: Mapping[str, str] | None) -> None:
        """Revoke the token that was issued for the API key, and use the one that comes of the same key afterwards.

        It was asked for twice, so that it is known whether Identity hands out what is in use.
        """
        token, alone = self._token(Question.API_KEY), self._token(Question.API_KEY_ALONE)
        others = [self.run.owner.token(), *map(self._token, (Question.PASSWORD, Question.AGAIN, Question.ANEW))]
        if not (key and token and alone) or token in others:
            return
        if token == alone and not self._was_issued_now(Question.API_KEY):
            return
        self._ask(Question.REVOKED_BY_KEY, "DELETE", V2, headers={TOKEN: token})
        revoked = self.answers.get(Question.REVOKED_BY_KEY)
        if revoked and revoked.ok:
            self._sign_in(Question.ANEW_BY_KEY, "RAX-KSKEY:apiKeyCredentials", key)
            if anew := self._token(Question.ANEW_BY_KEY):
                self.used.append(self._used(anew))

    def _by_another_tenant(self) -> None:
        """Sign in as the user of the second project, where the same Identity knows it by a password."""
        other = self.run.others.get("ALT")
        door = other.door() if isinstance(other, Credentials) else None
        password = door.by_password() if door and door.root == self.door.root and door.in_default_domain else None
        if password and isinstance(other, Credentials) and other.project_id and not self.run.no_other_project:
            body = {"auth": {"passwordCredentials": password, "tenantId": other.project_id}}
            self._ask(Question.ANOTHER_TENANT, "POST", V2, json=body)
            SECRETS.keep(self._token(Question.ANOTHER_TENANT))

    def _is_ours_alone(self, token: str) -> bool:
        """Return whether nobody else was handed a token.

        One that is handed out twice may have been before: it is not ended but where the user is one for tests, and the
        token was issued just now, with a whole day to live.
        """
        if token == self.run.owner.token():
            return False
        return token != self._token(Question.PASSWORD) or self._was_issued_now(Question.PASSWORD)

    def _was_issued_now(self, question: Question) -> bool:
        """Return whether the token that came of a question was issued just now, to a user who is one for tests."""
        life = Access(self.answers[question]).life
        return self.door.no_lockout and life is not None and abs(life - A_DAY) < JUST_NOW

    def _used(self, token: str) -> Answer:
        """Return the answer to a list that is asked for with a token; a new one may be known a while later."""
        look = partial(self._used_once, token)
        patience = Eventually(self.run.settings.patience, Recorder())
        return patience.until(look(), look, lambda answer: answer.status != UNAUTHORIZED)

    def _used_once(self, token: str) -> Answer:
        """Return the answer to a list that is asked for with a token."""
        return self.run.client.calling("a token that was issued again", partial(str, token)).list(limit="1")

    def _signed_in_anew(self) -> str | None:
        """Return the token that comes of one more password."""
        self._sign_in(Question.ANEW, "passwordCredentials", self.door.by_password() or {})
        return self._token(Question.ANEW)

    def _v3_token(self) -> str | None:
        """Return the token that version 3 has issued, if one was, for the tester's project."""
        answer, body = self.answers.get(Question.V3), self.door.of_v3(self.tenant)
        scoped = body is not None and ("scope" in body["auth"] or "password" not in body["auth"]["identity"])
        return answer.headers.get("X-Subject-Token") if answer and scoped else None

    def _revoke(self, token: str) -> None:
        if not self.run.rounds:
            no = "profile quick revokes no token"
            self.why |= dict.fromkeys((Question.REVOKED, Question.USED_AFTER), no)
            return
        self._ask(Question.REVOKED, "DELETE", V2, headers={TOKEN: token})
        if Question.REVOKED not in self.answers or not self.answers[Question.REVOKED].ok:
            self.why[Question.USED_AFTER] = "needs a token that was revoked"
            return
        look = partial(self._used_once, token)
        patience = Eventually(self.run.settings.patience, Recorder())
        after = patience.until(look(), look, lambda answer: answer.status == UNAUTHORIZED)
        self.answers[Question.USED_AFTER] = after
        if after.status == UNAUTHORIZED and (anew := self._signed_in_anew()):
            self.used.append(self._used(anew))

    def _token(self, question: Question) -> str | None:
        if question not in self.answers or not self.answers[question].ok:
            return None
        token = Access(self.answers[question]).part("token", "id")
        return token if isinstance(token, str) and token else None

    def _sign_in(self, question: Question, kind: str, credentials: Mapping[str, str]) -> None:
        body: dict[str, object] = {kind: credentials}
        if self.tenant:
            body["tenantId"] = self.tenant
        self._ask(question, "POST", V2, json={"auth": body})
        SECRETS.keep(self._token(question))

    def _ask(self, question: Question, method: str, target: str, **how: Any) -> None:
        answer = self._sent(method, target, **how)
        if answer.status in UNHEARD:
            self.why[question] = f"Identity has not said: {answer.exchange}"
        else:
            self.answers[question] = answer

    def _sent(self, method: str, target: str, **how: Any) -> Answer:
        return told(self.client.send_once(method, target, **how), self.elsewhere)
