"""The HTTP server: uvicorn on a thread of its own."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from controller.api.errors import Explained
from controller.runtime.clock import SystemClock
from controller.runtime.threads import Threads

_PORT = re.compile(r"[0-9]{1,5}")
_HEADER_SECONDS = 10.0
"""In which a request's head must be there: who sends it letter by letter holds a connection for no longer."""
_CUT_OFF_SECONDS = 5
"""How long a stop waits for answers that are being sent; all of ours are short."""
_HEADERS = [("cache-control", "no-store"), ("x-content-type-options", "nosniff")]
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a user may bind, and how to reach it


class ListenError(Explained):
    """The address cannot be listened on; the text says why and what to do."""


def parse_address(text: str) -> tuple[str, int]:
    """`host:port`, `[v6]:port` or `:port` → host and port. Raises ListenError."""
    host, separator, port = text.rpartition(":")
    if not separator or not (_PORT.fullmatch(port) and int(port) < 1 << 16):
        raise ListenError(f"cannot listen on {text!r}: it must be HOST:PORT, with a port up to 65535")
    return host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port)  # noqa: S104 - see _WILDCARDS


class _Patient(H11Protocol):
    """uvicorn's own, which waits for ever for the rest of a head."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def _watch_head(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's annotation leaves out that there is none at first
        if cycle is not None and not cycle.response_complete:
            self._unwatch()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(_HEADER_SECONDS, self.transport.close)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Server:
    """`port` 0 takes a free one; `port` and `url` tell which, once it is started."""

    def __init__(self, app: FastAPI, host: str, port: int, closing: Callable[[], None] = lambda: None) -> None:
        """`closing` is called when a stop begins: for answers that would never end."""
        self._closing = closing
        self.host, self.port = host, port
        self._threads = Threads(SystemClock())
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=_Patient,
                ws="none",
                lifespan="off",
                log_config=None,  # it logs through the root logger, like every library
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                headers=_HEADERS,
                timeout_graceful_shutdown=_CUT_OFF_SECONDS,
            )
        )

    @property
    def url(self) -> str:
        """For a person on this machine."""
        host = _WILDCARDS.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def start(self) -> None:
        """Returns when requests are taken. Raises ListenError."""
        self._uvicorn.config.load()  # here, where an error has somebody to see it
        listener = _listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        self._threads.start("web", lambda: self._uvicorn.run(sockets=[listener]))

    def stop(self, deadline_seconds: float) -> bool:
        """Take no more requests, finish those in progress; False where some last beyond the deadline."""
        self._closing()
        self._uvicorn.should_exit = True
        return self._threads.join(deadline_seconds)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server((str(address[0]), port), family=family)
    except OSError as error:
        raise ListenError(
            f"cannot listen on {host}:{port}: {_why(error)}. Choose another address (setting `listen`), "
            "or stop what uses this one"
        ) from error
    # asyncio turns Nagle's algorithm off only where a socket names its protocol; with it each answer takes 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _why(error: OSError) -> str:
    """The plain words for it; Python adds the address again, and getaddrinfo has numbers of its own."""
    if isinstance(error, socket.gaierror) or not error.errno:
        return str(error.args[-1])
    return os.strerror(error.errno)
