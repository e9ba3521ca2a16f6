"""What a stranger may cost: ASGI middleware that bounds bodies in size and time."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 64 * 1024
"""Bytes of a body; an action's has a few hundred."""
SLOWEST = 10.0
"""Seconds in which it must be there."""


class Bounds:
    """Reads the body before the application does. Paths that begin with `but` read their own."""

    def __init__(self, app: ASGIApp, but: str) -> None:
        self._app, self._but = app, but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._but) or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        try:
            async with asyncio.timeout(SLOWEST):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return
                    body += message.get("body", b"")
                    if len(body) > LARGEST:
                        await _refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST} bytes", scope, send)
                        return
                    if not message.get("more_body"):
                        break
        except TimeoutError:
            await _refuse(HTTPStatus.REQUEST_TIMEOUT, f"the body did not come within {SLOWEST:.0f} s", scope, send)
            return
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, again, send)


async def _refuse(status: HTTPStatus, detail: str, scope: Scope, send: Send) -> None:
    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    await JSONResponse({"detail": detail}, status, {"connection": "close"})(scope, nothing, send)
