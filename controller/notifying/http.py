"""One POST to somebody else's server, which may be slow, wrong, hostile or gone.

DeliveryError     it was not taken
├── Rejected      and will not be: a 4xx, a redirect, a URL that nobody may call
└── Again         and may be later: no answer, 429, 5xx; `after` seconds, where it said so
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

SECONDS = 10.0
"""In which all of it must be over."""
ANSWER = 4096
"""Bytes of an answer that are read, so that the connection may be used again."""
LONGEST_WAIT = 300.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class DeliveryError(Exception):
    """A message was not taken; the text says why, and never where to: a URL may be a secret."""


class Rejected(DeliveryError):
    """Trying again would not help."""


class Again(DeliveryError):
    """It may be taken later."""

    def __init__(self, text: str, after: float | None = None) -> None:
        super().__init__(text)
        self.after = after


class Poster:
    """Thread-safe. TLS is verified, redirects are not followed, and http goes to this machine alone."""

    def __init__(self, watch: Callable[[float, Callable[[], None]], threading.Timer] = threading.Timer) -> None:
        """`watch`: runs something after so many seconds, unless it is cancelled."""
        self._pool = urllib3.PoolManager(num_pools=8, maxsize=1, retries=False, cert_reqs=ssl.CERT_REQUIRED)
        self._watch = watch

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Raises DeliveryError."""
        check(url)
        given = {"content-type": "application/json", "user-agent": "logroute", **headers}
        try:
            answer = self._pool.request(
                "POST", url, body=body, headers=given, timeout=SECONDS, redirect=False, preload_content=False
            )
        except (HTTPError, OSError, ValueError) as error:
            raise Again(f"no answer: {type(error).__name__}") from None
        alarm = self._watch(SECONDS, answer.shutdown)  # a byte a second never runs into a time-out
        alarm.start()
        try:
            status, after = answer.status, answer.headers.get("retry-after", "")
            answer.read(ANSWER)
        except (HTTPError, OSError, ValueError):
            pass  # the status is what counts
        finally:
            alarm.cancel()
            answer.close()
        _judge(status, after)


def check(url: str) -> None:
    """Raises Rejected for what is neither https nor this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        raise Rejected("the URL must be https")


def _judge(status: int, after: str) -> None:
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own
        return
    if status == 429 or status >= 500:  # noqa: PLR2004 - see above
        wait = min(float(after), LONGEST_WAIT) if after.isdecimal() and len(after) < LONG else None
        raise Again(f"it answered {status}", wait)
    raise Rejected(f"it answered {status}")


LONG = 9
"""Digits of a Retry-After that is no number of seconds."""
