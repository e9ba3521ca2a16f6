"""The HTTP server: werkzeug's threaded one, which comes with moto[server], on loopback only."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"
_POLL_SECONDS = 0.02  # how soon the server notices that it is to stop


class Server:
    """Listens from construction on; serves from `start` to `stop` in a thread of its own."""

    def __init__(self, application: WSGIApplication, port: int, now: Callable[[], float]) -> None:
        """`now`: what the Date header of an answer says, in seconds since the epoch."""
        from moto.moto_server.werkzeug_app import MotoRequestHandler
        from werkzeug.serving import make_server

        class QuietHandler(MotoRequestHandler):
            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """No line a request: a test makes thousands."""

            def date_time_string(self, timestamp: float | None = None) -> str:
                return formatdate(now() if timestamp is None else timestamp, usegmt=True)

        self._server = make_server(HOST, port, application, threaded=True, request_handler=QuietHandler)
        self._thread = Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="logroute-sandbox", daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
