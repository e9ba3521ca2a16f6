"""The WSGI application: each request goes to the simulated ECS, to the control paths, or to moto."""

from __future__ import annotations

import uuid
from collections import Counter
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING

import orjson

from controller.sandbox.ecs import wire
from controller.sandbox.ecs.api import Answer, EcsApi
from controller.sandbox.endpoint.calls import call_name
from controller.sandbox.endpoint.control import PREFIX, Controlled, control
from controller.sandbox.endpoint.signature import scope_of
from controller.sandbox.errors import MissingAuthenticationError
from controller.sandbox.outside import Outside

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class CallCounts:
    """How often each AWS operation was called."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

    def snapshot(self) -> Counter[str]:
        with self._lock:
            return Counter(self._counts)

    def reset(self) -> None:
        with self._lock:
            self._counts.clear()


class Application:
    def __init__(
        self,
        api: EcsApi,
        outside: Outside,
        controlled: Controlled,
        counts: CallCounts,
        others: WSGIApplication,
    ) -> None:
        self._api = api
        self._outside = outside
        self._controlled = controlled
        self._counts = counts
        self._others = others

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if path.startswith(PREFIX):
            status, reply = control(self._controlled, environ["REQUEST_METHOD"], path, _body(environ))
            return _respond(start_response, Answer(status, orjson.dumps(reply)), "application/json")
        self._counts.add(call_name(environ))
        target: str = environ.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith(wire.TARGET_PREFIX):
            answer = self._ecs(environ, target.removeprefix(wire.TARGET_PREFIX))
            return _respond(start_response, answer, wire.CONTENT_TYPE)
        return self._others(environ, start_response)

    def _ecs(self, environ: WSGIEnvironment, operation: str) -> Answer:
        body, scope = _body(environ), scope_of(environ)
        if scope is None:
            problem = {"__type": MissingAuthenticationError.code, "message": "Missing Authentication Token"}
            return Answer(400, orjson.dumps(problem))
        principal = self._outside.principal(scope.access_key, scope.region)
        return self._api.answer(operation, body, principal, scope.region)


def _body(environ: WSGIEnvironment) -> bytes:
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return body


def _respond(start_response: StartResponse, answer: Answer, content_type: str) -> list[bytes]:
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(answer.body))),
        ("x-amzn-RequestId", str(uuid.uuid4())),
    ]
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [answer.body]
