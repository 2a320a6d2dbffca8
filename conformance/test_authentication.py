# who is let in, and what Identity answers to who signs in

import urllib.parse

import pytest

from pytest_cloudimages import expect, note, requirement
from pytest_cloudimages.areas.access.accesses import Access
from pytest_cloudimages.areas.access.deeds import Rights
from pytest_cloudimages.areas.access.fixtures import *
from pytest_cloudimages.areas.access.identity import IdentityAnswers, Question
from pytest_cloudimages.areas.access.named_projects import NamedProjects
from pytest_cloudimages.areas.common.checks import (
    A_CHALLENGE,
    OK,
    SOMETHING,
    Allowed,
    Answer,
    answered,
    expect_contract,
    or_skip,
)
from pytest_cloudimages.areas.common.parties import Party

A_TEXT = Allowed("a text", lambda value: isinstance(value, str) and value != "")
A_DAY, SKEW, A_MOMENT = 24 * 3600.0, 300.0, 5.0
"""Seconds that a token lives by default, that two clocks may differ by, and in which nobody can use a token."""
AHEAD = 3300.0
"""Seconds that the clock of Identity may be ahead of the one that Date is by: less than a zone is."""
AT_MOST_A_DAY = Allowed(
    "more than a moment, and a day at most", lambda life: life is not None and A_MOMENT < life <= A_DAY + AHEAD
)
PUBLISHED = ".images.api.rackspacecloud.com"
"""What the names of the vendor's hosts end in, each behind its region."""


# "-H X-Auth-Token"
@requirement("AUTH-01")
def test_no_request_is_served_without_a_token(closed_doors: Rights) -> None:
    for attempt in closed_doors.by(Party.ANONYMOUS):
        expect(attempt.answer.status, 401, "status of", attempt)
        expect(attempt.changed, False, "effect of", attempt)


# "If the token has expired, the API call returns 401"
@requirement("AUTH-02")
def test_no_request_is_served_for_an_invalid_token(closed_doors: Rights) -> None:
    for caller, reason in closed_doors.let_off.items():
        note(f"Not asked of {caller}: {reason}")
    for attempt in closed_doors.by(Party.INVALID, Party.ENDED):
        expect(attempt.answer.status, 401, "status of", attempt)
        expect(attempt.changed, False, "effect of", attempt)


# "The server generating a 401 response MUST send a WWW-Authenticate header field"
@requirement("AUTH-03")
def test_every_401_has_a_challenge(closed_doors: Rights) -> None:
    unauthorized = closed_doors.by(Party.ANONYMOUS, Party.INVALID, Party.ENDED, where=answered(401))
    for attempt in or_skip(unauthorized, "no request was answered 401"):
        expect(attempt.answer.headers.get("WWW-Authenticate"), A_CHALLENGE, "WWW-Authenticate of", attempt)


# "POST … /v2.0/tokens"
@requirement("AUTH-04")
def test_a_token_is_issued(identity_answers: IdentityAnswers) -> None:
    answers = [*identity_answers.to(Question.PASSWORD, Question.API_KEY)]
    good = [answer for answer in answers if answer.status == 200 and isinstance(Access(answer).part(), dict)]
    expect(good, SOMETHING, f"answers 200 with an object called access, out of {answers}")


# "RAX-KSKEY:apiKeyCredentials": {"username", "apiKey"}
@requirement("AUTH-05")
def test_an_api_key_signs_in(identity_answers: IdentityAnswers) -> None:
    for answer in identity_answers.to(Question.API_KEY):
        if answer.status == 401:
            pytest.skip(f"needs an API key of this user; that in CLOUDIMAGES_API_KEY may be another's: {answer}")
        expect(answer.status, 200, f"status of {answer} to the key in CLOUDIMAGES_API_KEY")
        expect(Access(answer).part("token", "id"), A_TEXT, f"token of {answer}")
    # The form has no tenant, so that it may be left out.
    for answer in identity_answers.aside().answered(Question.API_KEY_ALONE):
        expect(answer.status, 200, f"status of {answer}, which names no tenant")


# "passwordCredentials": {"username", "password"}
@requirement("AUTH-06")
def test_a_password_signs_in(identity_answers: IdentityAnswers) -> None:
    for answer in identity_answers.to(Question.PASSWORD):
        expect(answer.status, 200, f"status of {answer}")
        expect(Access(answer).part("token", "id"), A_TEXT, f"token of {answer}")


# "token … serviceCatalog … user"
@requirement("AUTH-07")
def test_an_access_has_its_parts(identity_answers: IdentityAnswers) -> None:
    for access in identity_answers.accesses():
        expect_contract(access.answer, "identity-v2-access")


# "token": {"id", "expires", "tenant": {"id", "name"}}
@requirement("AUTH-08")
def test_a_token_says_for_how_long_and_for_whom(identity_answers: IdentityAnswers) -> None:
    for access in identity_answers.accesses():
        for names in (("id",), ("expires",), ("tenant", "id"), ("tenant", "name")):
            expect(access.part("token", *names), A_TEXT, f"{'.'.join(names)} of the token in {access}")
        if tenant := identity_answers.tenant:
            expect(access.part("token", "tenant", "id") == tenant, True, f"whether {access} is for whom it was asked")
    for access in identity_answers.aside().alone():
        for name in ("id", "name"):
            expect(access.part("token", "tenant", name), A_TEXT, f"tenant.{name} of the token in {access}")


# "the tenant ID … your account number"
@requirement("AUTH-09")
def test_a_tenant_is_named_by_its_number(identity_answers: IdentityAnswers) -> None:
    needed = "needs the vendor's catalogue, which names a service cloudImages"
    for access in or_skip(identity_answers.accesses().where(lambda access: access.is_the_vendors), needed):
        expect(
            access.part("token", "tenant", "name"),
            access.part("token", "tenant", "id"),
            f"the tenant's name in {access}",
        )


# "400: … could not be parsed"
@requirement("AUTH-10")
def test_what_is_no_json_is_refused(identity_answers: IdentityAnswers) -> None:
    for answer in identity_answers.to(Question.NO_JSON):
        expect(answer.status, 400, f"status of {answer}")


# "401: … not authorized"
@requirement("AUTH-11")
def test_wrong_credentials_are_refused(identity_answers: IdentityAnswers) -> None:
    for question in (Question.WRONG_PASSWORD, Question.WRONG_KEY):
        if question in identity_answers.why:
            note(f"Not asked for {question}: {identity_answers.why[question]}")
    # Where the right key is answered the same, such keys are what is refused. (AUTH-05)
    key = identity_answers.answers.get(Question.API_KEY)
    of_any_key = {key.status} if key is not None and not key.ok else set()
    by_key = [identity_answers.answers.get(each) for each in (Question.WRONG_KEY, Question.UNKNOWN_USER_BY_KEY)]
    unknown = (Question.UNKNOWN_USER, Question.UNKNOWN_USER_BY_KEY)
    for answer in identity_answers.to(*unknown, Question.WRONG_PASSWORD, Question.WRONG_KEY):
        if answer not in by_key or answer.status not in of_any_key:
            expect(answer.status, 401, f"status of {answer}")
    for answer in identity_answers.aside().nearly_right():
        if answer.status in of_any_key:
            continue
        expect(answer.status, 401, f"status of {answer}: a secret that is nearly right")


# "tokens … expire after 24 hours by default"
@requirement("AUTH-12")
def test_a_token_lives_a_day(identity_answers: IdentityAnswers) -> None:
    for access in identity_answers.accesses():
        expect(access.life, AT_MOST_A_DAY, f"seconds that the token of {access} lives")
        if access.life is not None and access.life < A_DAY - SKEW:
            note("a token lives less than 24 hours: this one was issued before, or the operator has it so.")


# "authenticate again … before it expires"
@requirement("AUTH-13")
def test_a_second_token_is_usable(identity_answers: IdentityAnswers) -> None:
    for answer in identity_answers.to(Question.USED):
        expect(answer.status, 200, f"status of {answer}")
    for answer in identity_answers.aside().used_further():
        expect(answer.status == 401, False, f"whether {answer} refuses a token that was just issued")


# "Revoke token: 204"
@requirement("AUTH-14")
def test_a_revoked_token_is_refused(identity_answers: IdentityAnswers) -> None:
    for answer in identity_answers.to(Question.USED_AFTER):
        expect(answer.status, 401, f"status of {answer}")


# "400: … tenant ID and tenant name"
@requirement("AUTH-15")
def test_a_tenant_is_named_once(identity_answers: IdentityAnswers) -> None:
    for answer in identity_answers.to(Question.TWO_TENANTS, Question.TWO_TENANTS_BY_KEY):
        expect(answer.status, 400, f"status of {answer}")


# "name": "cloudImages", "type": "image"
@requirement("AUTH-17")
def test_the_catalogue_has_the_image_service(identity_answers: IdentityAnswers) -> None:
    for access in identity_answers.accesses():
        expect(access.images, SOMETHING, f"entries of the type image in the catalogue of {access}")
        names = {str(entry.get("name")) for entry in access.images}
        several = len(access.images) > 1
        expect("cloudImages" in names or not several, True, f"whether one of several in {access} is named cloudImages")


# "endpoints": [{"publicURL", "region", "tenantId"}]
@requirement("AUTH-18")
def test_an_endpoint_says_where_it_is(identity_answers: IdentityAnswers) -> None:
    needed = "needs the vendor's catalogue, which names a service cloudImages"
    for access in or_skip(identity_answers.accesses().where(lambda access: access.is_the_vendors), needed):
        _says_where_it_is(access)
    # Whom a token is for, its catalogue says whether the tenant was named or not.
    for access in identity_answers.aside().alone():
        _says_where_it_is(access)
    # Nor are they another tenant's, which has signed in before.
    for access, earlier in identity_answers.aside().of_another():
        theirs = [each for each in access.endpoints if each.get("tenantId") == earlier.tenant]
        expect(theirs, [], f"endpoints in {access} with the tenant of {earlier}")


def _says_where_it_is(access: Access) -> None:
    __tracebackhide__ = True
    expect(access.endpoints, SOMETHING, f"endpoints of the image service in {access}")
    for endpoint in access.endpoints:
        for name in ("publicURL", "region", "tenantId"):
            expect(endpoint.get(name), A_TEXT, f"{name} of an endpoint in {access}")
        path = urllib.parse.urlsplit(str(endpoint["publicURL"])).path.rstrip("/").split("/")
        expect(path[-1], "v2", f"what the publicURL of an endpoint in {access} ends in")
        expect(endpoint["tenantId"] in path, False, f"whether a publicURL in {access} has the tenant")


# the table of regionalized service endpoints
@requirement("AUTH-19")
def test_regional_endpoints_are_as_published(identity_answers: IdentityAnswers) -> None:
    def is_published(access: Access) -> bool:
        return any(PUBLISHED in str(endpoint.get("publicURL")) for endpoint in access.endpoints)

    for access in or_skip(
        identity_answers.accesses().where(is_published), "needs an endpoint at the vendor's own hosts"
    ):
        for endpoint in access.endpoints:
            host = urllib.parse.urlsplit(str(endpoint.get("publicURL"))).netloc
            if host.endswith(PUBLISHED):
                expected = f"https://{str(endpoint.get('region')).lower()}{PUBLISHED}/v2"
                expect(str(endpoint["publicURL"]).rstrip("/"), expected, f"publicURL of a region in {access}")


# "-H X-Auth-Project-Id": a client's header gives no rights that its token has not
@requirement("AUTH-22")
def test_a_project_in_the_header_changes_nothing(named_projects: NamedProjects) -> None:
    for named in named_projects.requests():
        # A change that is made a second time may be acknowledged otherwise.
        changed = named.without.ok and named.without.exchange.method != "GET"
        expect(named.answer.status, OK if changed else named.without.status, f"status of {named}")
        if named.answer.ok and named.answer.exchange.method == "GET":
            shown = [_ids(answer.data) for answer in (named.answer, named.without)]
            expect(shown[0], shown[1], f"images in {named}")
        # What is created is the caller's, whoever is named.
        owners = [answer.data.get("owner") for answer in (named.answer, named.without) if isinstance(answer.data, dict)]
        if named.answer.exchange.method == "POST" and len(owners) > 1 and None not in owners:
            expect(owners[0], owners[1], f"owner in {named}")


def _ids(data: object) -> list[str]:
    entries = data.get("images", [data]) if isinstance(data, dict) else []
    return sorted(str(entry.get("id")) for entry in entries if isinstance(entry, dict))


# keystoneauth1: the token in the header, the catalogue in the body
@requirement("AUTH-24")
def test_version_3_issues_a_token(identity_answers: IdentityAnswers) -> None:
    for answer in identity_answers.to(Question.V3):
        expect(answer.status, 201, f"status of {answer}")
        _is_a_token_with_its_catalogue(answer)
    # Whether a token is issued for a token, is the operator's to say.
    for answer in identity_answers.aside().answered(Question.V3_AGAIN):
        if answer.ok:
            expect(answer.status, 201, f"status of {answer}")
            _is_a_token_with_its_catalogue(answer)


def _is_a_token_with_its_catalogue(answer: Answer) -> None:
    __tracebackhide__ = True
    expect(answer.headers.get("X-Subject-Token"), A_TEXT, f"X-Subject-Token of {answer}")
    expect_contract(answer, "identity-v3-token")
    catalogue = answer.data["token"].get("catalog")
    types = [entry.get("type") for entry in catalogue] if isinstance(catalogue, list) else []
    expect("image" in types, True, f"whether the catalogue of {answer} has the image service")
