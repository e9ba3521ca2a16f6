"""`POST /hooks/<forge>`: somebody pushed. Each is a nudge to look at the source now, and nothing else."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from controller.runtime.clock import Clock
from controller.web.signatures import SCHEMES, Check

LARGEST = 5 * 2**20
"""Bytes of a body; they are hashed as they come, and not kept. Pushes have a few thousand."""
SLOWEST = 10.0
"""Seconds in which a body must be there."""
REMEMBERED, FOR_SECONDS = 20_000, 600.0
"""Requests by which one that is sent once more is known."""
SECRET_SECONDS = 30.0
"""A secret is read anew after so long: they are rotated."""

Secrets = Callable[[], Sequence[str]]
"""Reads the secrets of a hook; it may take its time, and raises Explained where there are none."""
Told = Callable[[str, str], None]
"""Forge, and what came of a request: accepted, duplicate, refused, failed."""


class Hooks:
    """For one event loop. `nudge` must not block."""

    def __init__(self, secrets: Mapping[str, Secrets], nudge: Callable[[], None], clock: Clock, told: Told) -> None:
        self._forges = {forge: _Kept(read, clock) for forge, read in secrets.items()}
        self._nudge, self._clock, self._told = nudge, clock, told
        self._heard = _Heard(clock)

    async def hear(self, request: Request) -> Response:
        forge = request.path_params["forge"]
        kept = self._forges.get(forge)
        if kept is None:
            known = ", ".join(self._forges) or "none"
            return _say(HTTPStatus.NOT_FOUND, f"no such hook; the setting `hooks` has: {known}")
        try:
            secrets = await kept.secrets()
        except Exception:  # noqa: BLE001 - the log has why; a stranger learns nothing
            self._told(forge, "failed")
            return _say(HTTPStatus.SERVICE_UNAVAILABLE, "the hook's secret cannot be read")
        check = SCHEMES[forge](request.headers, secrets, self._clock.now().timestamp())
        refused = await _read(request, check)
        if refused is not None:
            self._told(forge, "refused")
            return refused
        if why := check.refusal():
            self._told(forge, "refused")
            return _say(HTTPStatus.UNAUTHORIZED, why.value)
        if not self._heard.first(f"{forge} {check.identity()}"):
            self._told(forge, "duplicate")
            return _say(HTTPStatus.OK, "heard before")
        self._nudge()
        self._told(forge, "accepted")
        return _say(HTTPStatus.ACCEPTED, "the source is looked at now")


async def _read(request: Request, check: Check) -> Response | None:
    """Every piece through the check; an answer where it is too large, too slow or broken off."""
    too_large = _say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST} bytes; the next poll looks anyway")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > len(str(LARGEST)) or int(length) > LARGEST):
        return too_large
    size = 0
    try:
        async with asyncio.timeout(SLOWEST):
            async for piece in request.stream():
                size += len(piece)
                if size > LARGEST:
                    return too_large
                check.feed(piece)
    except TimeoutError:
        return _say(HTTPStatus.REQUEST_TIMEOUT, f"the body did not come within {SLOWEST:.0f} s")
    except ClientDisconnect:
        return _say(HTTPStatus.BAD_REQUEST, "the request broke off")
    return None


def _say(status: HTTPStatus, detail: str) -> Response:
    """After a refusal the rest of a body is not waited for."""
    headers = {"connection": "close"} if status >= HTTPStatus.BAD_REQUEST else None
    return JSONResponse({"detail": detail}, status, headers)


@dataclass(slots=True)
class _Kept:
    """Secrets, read on a thread of their own and kept for a while: a thousand hooks a second read no file each."""

    read: Secrets
    clock: Clock
    found: Sequence[str] = ()
    at: float = 0.0

    async def secrets(self) -> Sequence[str]:
        now = self.clock.monotonic()
        if not self.found or now - self.at > SECRET_SECONDS:
            self.found, self.at = await asyncio.to_thread(self.read), now
        return self.found


class _Heard:
    def __init__(self, clock: Clock) -> None:
        self._clock, self._seen = clock, OrderedDict[str, float]()

    def first(self, identity: str) -> bool:
        now = self._clock.monotonic()
        while self._seen and (len(self._seen) > REMEMBERED or now - next(iter(self._seen.values())) > FOR_SECONDS):
            self._seen.popitem(last=False)
        if identity in self._seen:
            return False
        self._seen[identity] = now
        return True
