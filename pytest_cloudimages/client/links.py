"""Where links lead, by RFC 3986, 5; no token goes anywhere but to the service that is judged."""

import re
import urllib.parse

from pytest_cloudimages.spec.verdicts import Blocked

LONGEST_LINK = 16 * 1024
"""Characters of a link that is followed; servers take targets of half of it."""
PATH, QUERY = "/%:@!$&'()*+,;=-._~", "/?%:@!$&'()*+,;=-._~"
"""What stands in the path and the query of a URL as it is, beside letters and digits."""


def led_to(endpoint: str, target: str, link: str) -> str:
    """Return what a link in the answer to a target leads to, to be sent below the endpoint.

    Raise ``Blocked`` where it leads to another host or out of the endpoint, or is no link at all.
    """
    here = urllib.parse.urlsplit(endpoint)
    if len(link) > LONGEST_LINK or re.search(r"[\x00-\x20\x7f\\]", link):
        raise Blocked(f"The list leads nowhere: next is {link[:200]!r}, and no URL is so long, or has such characters.")
    try:
        led = urllib.parse.urlsplit(urllib.parse.urljoin(f"{endpoint}{target}", link))
        elsewhere = led.hostname != here.hostname
        path = urllib.parse.quote(led.path, PATH, errors="surrogatepass")
        query = urllib.parse.quote(led.query, QUERY, errors="surrogatepass")
    except ValueError as problem:
        raise Blocked(f"The list leads nowhere: next is {link[:200]!r} ({problem}).") from None
    # A front server that ends TLS may let the service behind it write http; the token stays on our connection.
    # And a service behind a prefix may know nothing of it, and write links from its own root (auth, section 4).
    roots = [root for root in (here.path, "/v2") if path.startswith(f"{root}/")]
    # A segment that hides its dots leads out where somebody on the way decodes it.
    hidden = any(urllib.parse.unquote(part) in (".", "..") for part in path.split("/"))
    if elsewhere or hidden or not roots:
        raise Blocked(f"The list leads out of {endpoint}: next is {link[:200]!r}.")
    return path.removeprefix(roots[0]) + (f"?{query}" if query else "")
