"""`/api/v1/watch`: server-sent events that say when there is something new to read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

from fastapi import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

TICK = 1.0
"""Seconds between two looks at what changed: a page reads anew once in so long at the most."""
HEARTBEAT = 15
"""Ticks after which a comment keeps the connection from being cut by what lies in between."""
MOST = 200
"""Watchers at a time."""

Version = Callable[[], tuple[int, int]]


class Live:
    """Watchers of one event loop. `close` ends all of them, so that a stop need not wait."""

    def __init__(self, version: Version) -> None:
        self._version, self._watchers, self._closing = version, 0, False

    def close(self) -> None:
        """From any thread."""
        self._closing = True

    async def watch(self, _request: Request) -> Response:
        if self._watchers >= MOST:
            detail = {"detail": f"{MOST} are watching already; poll /api/v1/summary"}
            return JSONResponse(detail, HTTPStatus.SERVICE_UNAVAILABLE, {"retry-after": "30"})
        headers = {"x-accel-buffering": "no"}
        return StreamingResponse(self._events(), media_type="text/event-stream", headers=headers)

    async def _events(self) -> AsyncIterator[str]:
        self._watchers += 1
        try:
            told, quiet = None, 0
            yield "retry: 3000\n\n"
            while not self._closing:
                if (version := self._version()) != told:
                    told, quiet = version, 0
                    data = json.dumps({"status": version[0], "events": version[1]})
                    yield f"event: changed\ndata: {data}\n\n"
                elif quiet >= HEARTBEAT:
                    quiet = 0
                    yield ": still here\n\n"
                quiet += 1
                await asyncio.sleep(TICK)
        finally:
            self._watchers -= 1
