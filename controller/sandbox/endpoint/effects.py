"""What a scripted fault does to a call: answers in the service's own shape, closed connections, waiting."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from threading import Event
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import orjson

from controller.sandbox.endpoint.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>This network asks you to sign in.</body></html>"
)
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class _Error:
    status: int
    code: str
    message: str


def perform(
    fault: Fault,
    service: str,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    serve: WSGIApplication,
    stopping: Event,
) -> Iterable[bytes]:
    """`stopping` ends every wait: a sandbox that stops waits for nobody."""
    match fault.effect:
        case "error":
            return _answer(_Error(fault.status, fault.code or "", fault.message), service, environ, start_response)
        case "throttle":
            return _answer(_throttling(service, environ), service, environ, start_response)
        case "garbage":
            return _send(start_response, 200, "text/html", _PAGE)
        case "delay":
            stopping.wait(fault.seconds)
            return serve(environ, start_response)
        case "hang":
            stopping.wait(fault.seconds)
        case "lose-answer":
            _run(serve, environ)
    _close(environ)
    raise ConnectionAbortedError("a fault that was asked for closes this connection")


def _run(serve: WSGIApplication, environ: WSGIEnvironment) -> None:
    """Let the call happen, and keep its answer from everybody."""
    _nowhere: Callable[[bytes], object] = len
    answer = serve(environ, lambda *_: _nowhere)
    for _ in answer:
        pass
    if close := getattr(answer, "close", None):
        close()


def _close(environ: WSGIEnvironment) -> None:
    """Werkzeug takes a ConnectionError for a client that went away, and sends nothing after it."""
    connection: socket.socket = environ["werkzeug.socket"]
    with suppress(OSError):  # the client was faster
        connection.shutdown(socket.SHUT_RDWR)


def deny(why: str, service: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """As the service says that IAM forbids it."""
    by_header = "HTTP_X_AMZ_TARGET" in environ or service == "scheduler"
    error = _Error(400, "AccessDeniedException", why) if by_header else _Error(403, "AccessDenied", why)
    return _answer(error, service, environ, start_response)


def _throttling(service: str, environ: WSGIEnvironment) -> _Error:
    if service == "s3":
        return _Error(503, "SlowDown", "Please reduce your request rate.")
    code = "ThrottlingException" if "HTTP_X_AMZ_TARGET" in environ else "Throttling"
    return _Error(400, code, "Rate exceeded")


def _answer(error: _Error, service: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """JSON where the operation is a header (ECS, logs), S3's XML, the query protocol's (STS, IAM), else REST-JSON."""
    code, message = escape(error.code), escape(error.message)
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{uuid.uuid4()}</RequestId></Error>"
        return _send(start_response, error.status, "application/xml", _xml(body), environ["REQUEST_METHOD"])
    if "HTTP_X_AMZ_TARGET" not in environ and environ.get("CONTENT_TYPE", "").startswith(_FORM):
        detail = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        body = f"<ErrorResponse>{detail}<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        return _send(start_response, error.status, "text/xml", _xml(body))
    reply = orjson.dumps({"__type": error.code, "message": error.message})
    return _send(start_response, error.status, "application/x-amz-json-1.1", reply)


def _xml(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()


def _send(
    start_response: StartResponse, status: int, content_type: str, body: bytes, method: str = "POST"
) -> list[bytes]:
    """The answer to HEAD has no body, so that a client knows no more than the status."""
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [] if method == "HEAD" else [body]
