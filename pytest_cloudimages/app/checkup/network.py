"""The way to a server: name resolution, connection, TLS."""

import time
from dataclasses import dataclass

from pytest_cloudimages.app.checkup.lines import Lines, Topic
from pytest_cloudimages.client.answers import brief
from pytest_cloudimages.client.reachability import PROXIES, Origin, context_of, origin_of, why_no_tls
from pytest_cloudimages.client.transport import Transport

LONGEST_DIAL = 10.0
"""Seconds that a connection may take, whatever an answer may."""
SOON = 30
"""Days before the end of a certificate that it is worth a note."""


@dataclass(frozen=True)
class Way:
    """The way to one server, as a run would go it."""

    whose: str
    """The server, as topics call it."""
    url: str
    setting: str
    """What names the server, as it would be corrected."""
    timeout: float
    verify: bool | str
    cert: str | tuple[str, str] | None

    def lines(self) -> Lines:
        """Yield a line for each step up to TLS, or up to the one in trouble."""
        origin = origin_of(self.url)
        transport = Transport(self.url, timeout=self.timeout, verify=self.verify, cert=self.cert)
        dialled = origin_of(transport.proxy) if transport.proxy else origin
        if transport.proxy:
            advice = f"Without it: NO_PROXY={origin.host}."
            yield Topic(f"{self.whose} proxy", f"the proxy settings for {origin}").noted(f"through {dialled}", advice)
        # Where there is a proxy, nobody else is dialled.
        setting = PROXIES if transport.proxy else self.setting
        topic = Topic(f"{self.whose} name", f"resolve {dialled.host}")
        begun = time.monotonic()
        try:
            addresses = dialled.addresses()
        except (OSError, UnicodeError) as problem:
            why = getattr(problem, "strerror", None) or str(problem)
            advice = f"Is the name right in {setting}? Does this computer resolve other names, or need a VPN?"
            yield topic.broken(f"no address: {why}", advice)
            return
        yield topic.fine(f"{', '.join(addresses)} ({_shown(time.monotonic() - begun)})")
        reached = False
        for line in self._connected(dialled, addresses, setting):
            reached = reached or not line.fault
            yield line
        if reached and origin.secure and not transport.proxy:
            yield from self._secured(origin, transport)

    def _connected(self, dialled: Origin, addresses: list[str], setting: str) -> Lines:
        topic = Topic(f"{self.whose} port", f"connect to {dialled}")
        took: list[float] = []
        dead: list[str] = []
        for address in addresses:
            try:
                took.append(dialled.dial(address, min(self.timeout, LONGEST_DIAL)))
            except OSError as problem:
                dead.append(f"{address}: {'no answer' if isinstance(problem, TimeoutError) else brief(problem)}")
        if not took:
            who = "service" if setting == self.setting else "proxy"
            advice = f"Is the port right in {setting}? Is the {who} up, and no firewall in between?"
            yield topic.broken("; ".join(dead), advice)
        elif dead:
            advice = "Whoever tries this address first waits for it; mend the DNS record or the server."
            yield topic.noted(f"connected in {_shown(min(took))}, but {'; '.join(dead)}", advice)
        else:
            yield topic.fine(f"connected in {_shown(min(took))}")

    def _secured(self, origin: Origin, transport: Transport) -> Lines:
        topic = Topic(f"{self.whose} TLS", f"TLS with {origin}, trusting {_trusted(transport.verify)}")
        timeout = min(self.timeout, LONGEST_DIAL)
        try:
            version, certificate = origin.shake_hands(timeout, context_of(transport.verify, transport.cert))
        except (OSError, ValueError) as problem:
            what, advice = why_no_tls(problem) or (brief(problem), "Does something in between end TLS?")
            seen = origin.certificate(timeout)
            yield topic.broken(f"{what.rstrip('.')}{f'; {seen}' if seen else ''}", advice)
            return
        came = f"{version}, {certificate}"
        if transport.verify is False:
            yield topic.noted(f"{came}, not checked", "Name the authority in OS_CACERT instead of OS_INSECURE.")
        elif certificate.days < SOON:
            yield topic.noted(f"{came}, in {certificate.days} days", "It is to be renewed soon.")
        else:
            yield topic.fine(came)


def _trusted(verify: bool | str) -> str:
    return "nobody in particular" if verify is False else verify if isinstance(verify, str) else "the usual authorities"


def _shown(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
