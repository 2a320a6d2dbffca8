"""The image service as the tester and further callers may read it; nothing is changed."""

import re
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pytest_cloudimages.app.checkup.lines import Line, Lines, Topic, in_two
from pytest_cloudimages.app.checkup.signing_in import clock, no_http, speaks_tls
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.auth.credentials import Credentials
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.outage import LIST, is_list
from pytest_cloudimages.client.trouble import OVERLOAD
from pytest_cloudimages.client.versions import at_the_root, is_identity, version_ids
from pytest_cloudimages.engine.preflight import ask_first, find_other
from pytest_cloudimages.engine.run import OTHERS, Run
from pytest_cloudimages.spec.verdicts import Blocked

NAMES = {"ALT": "second project", "READER": "reader", "CREATOR": "creator", "ADMIN": "administrator"}
OPTION_OF = {"ALT": "other-cloud", "READER": "reader-cloud", "CREATOR": "creator-cloud", "ADMIN": "admin-cloud"}
LOOKS = 5
"""Requests by which the time of an answer is measured."""
LIMIT_TOLD = re.compile(r"(x-)?rate-?limit.*|retry-after", re.IGNORECASE)
SLOW = 0.5
"""Seconds an answer may take before it is worth a note."""
REQUESTS = {"quick": 1300, "standard": 6200}
"""How many requests a run of a profile sends at most, as docs/running.md has it."""


@dataclass
class Questions:
    """Questions to the image service that change nothing."""

    run: Run
    setting: str
    """What names the service, as it would be corrected."""
    environ: Mapping[str, str] = field(repr=False)
    exchanges: list[Exchange] = field(default_factory=list)

    def versions(self) -> Lines:
        """Yield what stands at the root of the service, and what time it is there."""
        root = at_the_root(self.run.client)
        url, timeout = f"{root.endpoint}/", self.run.transport.timeout
        topic = Topic("versions", f"GET {url}")
        answer = root.send_once("GET", "/")
        status, data = answer.status, answer.data
        if not status or (status == 400 and speaks_tls(url, timeout)):  # noqa: PLR2004 - as HTTP has it
            yield no_http(topic, url, self.setting, answer.exchange.note or "400", timeout)
            return
        if is_identity(data):
            yield topic.broken(
                f"{status}, an Identity service, versions {', '.join(version_ids(data))}",
                f"Give the address of the image service in {self.setting}; Identity's goes into OS_AUTH_URL.",
            )
            return
        ids = version_ids(data)
        if ids:
            yield topic.fine(f"{status}, {', '.join(ids[:3])}{', …' if len(ids) > 3 else ''}")  # noqa: PLR2004 - the newest
        else:
            yield topic.noted(f"{status}, no list of versions", "The list of images will tell whether that matters.")
        yield from clock("image service clock", answer.headers)

    def images(self) -> Lines:
        """Yield whether the tester may list images, asked as a run asks first."""
        run = self.run
        topic = Topic("list", f"GET {run.service.endpoint}{LIST}")
        try:
            ask_first(run)
            answer = self._asked()
        except ConfigurationError as problem:
            came, advice = in_two(str(problem))
            if run.owner.project_id and "refuses the token" in came:
                advice += " Identity gave the token, so it is the service that does not know it: does it trust another"
                advice += " Identity, or is the endpoint another cloud's?"
            yield topic.mistaken(came, advice.strip())
        except Blocked as problem:
            yield topic.broken(*in_two(str(problem)))
        else:
            yield self._listed(topic, answer)

    def _listed(self, topic: Topic, answer: Answer) -> Line:
        if not is_list(answer):
            advice = "What needs the list will be blocked; the rest can be judged."
            return topic.partly(f"{answer.exchange.status or answer.exchange.note}", advice)
        seen = len(answer.data["images"])
        return topic.fine(f"200, a list of images{'' if seen else ', and none in it'}")

    def _asked(self) -> Answer:
        answer = self.run.client.send_once("GET", LIST)
        self.exchanges.append(answer.exchange)
        return answer

    def further_callers(self) -> Lines:
        """Yield who else is known, and whether they are let in."""
        run = self.run
        for who in OTHERS:
            topic = Topic(NAMES[who], f"OS_{who}_* or {run.settings.prefix}{OPTION_OF[who]}")
            try:
                found = find_other(run.settings, self.environ, who, run.service)
            except ConfigurationError as problem:
                yield topic.mistaken(*in_two(str(problem)))
                return
            except Blocked as problem:
                yield topic.partly(*in_two(str(problem)))
                continue
            run.others[who] = found
            if found is None:
                yield topic.untried("not given; what needs one stays untested")
            else:
                yield self._let_in(topic, who, found)

    def _let_in(self, topic: Topic, who: str, found: Credentials) -> Line:
        topic = Topic(topic.name, found.how)
        client = self.run.client.calling(OTHERS[who], found.token)
        answer = client.send_once("GET", LIST)
        if not is_list(answer):
            status = answer.status or answer.exchange.note
            advice = f"Correct OS_{who}_*: what needs such a caller would be blocked."
            return topic.partly(f"the list of images is answered {status}", advice)
        same = self.run.same_project(who)
        project = f", project {found.project_id}" if found.project_id else ""
        if who == "ALT" and same:
            return topic.partly(f"let in{project}, which is yours", "Name another project in OS_ALT_PROJECT_NAME.")
        if who == "ALT" and self.run.no_other_project:
            advice = "Name a user who is none in OS_ALT_USERNAME: what others may not do stays untested."
            return topic.partly(f"let in{project}, as an administrator", advice)
        if who == "READER" and found.project_id and not same:
            return topic.noted(f"let in{project}, which is not yours", "A reader is to be one of your own project.")
        return topic.fine(f"let in{project}")

    def quota(self) -> Lines:
        """Yield how many images and octets there may be, where the service tells."""
        topic = Topic("quota", "GET /v2/info/usage")
        answer = self.run.client.send_once("GET", "/info/usage")
        usage = answer.document.get("usage")
        if not isinstance(usage, dict):
            yield topic.fine(f"not told ({answer.status or answer.exchange.note})")
            return
        told = {name: _room(entry) for name, entry in sorted(usage.items())}
        came = ", ".join(f"{name} {text}" for name, (text, _) in told.items()) or "nothing is limited"
        if full := [name for name, (_, room) in told.items() if not room]:
            advice = f"Delete images of this project, or have its quota raised: {', '.join(full)}."
            yield topic.partly(came, advice)
        else:
            yield topic.fine(came)

    def times(self) -> Lines:
        """Yield how long an answer takes, and what is told or met of limits of rates."""
        while len(self.exchanges) < LOOKS:
            self._asked()
        answered = [exchange for exchange in self.exchanges if exchange.status]
        topic = Topic("round trip", f"{len(self.exchanges)} times the list")
        if not answered:
            yield topic.broken("no answer any more", "See whether the service is still up.")
            return
        took = [exchange.answered - exchange.sent for exchange in answered]
        middle = statistics.median(took)
        runs = ", ".join(f"{profile} about {_long(count * middle)}" for profile, count in REQUESTS.items())
        came = f"{middle * 1000:.0f} ms, at most {max(took) * 1000:.0f} ms; a run at that pace: {runs}"
        yield topic.noted(came, "Is there a nearer place to run from?") if middle > SLOW else topic.fine(came)
        yield self._limits()

    def _limits(self) -> Line:
        topic = Topic("rate limits", f"{len(self.exchanges)} answers")
        told = sorted({f"{name}: {value}" for name, value in self._told()})
        over = [exchange for exchange in self.exchanges if exchange.status in OVERLOAD]
        if over or told:
            met = f"{len(over)} answered {over[0].status}" if over else "none over a limit"
            advice = "A run slows down by itself; --max-rps N keeps it below from the beginning."
            return topic.noted("; ".join([met, *told]), advice)
        return topic.fine("none told and none met")

    def _told(self) -> Iterator[tuple[str, str]]:
        for exchange in self.exchanges:
            yield from ((name, value) for name, value in exchange.answer_headers if LIMIT_TOLD.fullmatch(name))


def _room(entry: object) -> tuple[str, bool]:
    """Return what is used of a limit, in words, and whether there is room."""
    used, limit = (entry.get(name) if isinstance(entry, dict) else None for name in ("usage", "limit"))
    if not isinstance(used, int) or not isinstance(limit, int) or limit < 0:
        return f"{used} of no limit", True
    return f"{used} of {limit}", used < limit


def _long(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{max(seconds, 1):.0f} s"  # noqa: PLR2004 - a minute and a half
