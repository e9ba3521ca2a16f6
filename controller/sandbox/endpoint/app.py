"""The WSGI application: each request goes to the simulated ECS or CodeDeploy, to the control paths, or to moto."""

from __future__ import annotations

import io
import uuid
from collections import Counter
from http import HTTPStatus
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs

import orjson

from controller.sandbox.codedeploy import api as codedeploy
from controller.sandbox.ecs import wire
from controller.sandbox.ecs.api import Answer, EcsApi
from controller.sandbox.endpoint.calls import call_name
from controller.sandbox.endpoint.control import PREFIX, Controlled, control
from controller.sandbox.endpoint.effects import deny, perform, refuse
from controller.sandbox.endpoint.faults import Asked, FaultScript
from controller.sandbox.endpoint.signature import scope_of
from controller.sandbox.endpoint.simulation import CALL, simulation
from controller.sandbox.errors import MissingAuthenticationError
from controller.sandbox.iam.gate import Identities, refusal
from controller.sandbox.iam.requests import Request
from controller.sandbox.iam.simulate import SimulationError
from controller.sandbox.outside import Outside

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class CallCounts:
    """How often each AWS operation was called: by clients, and apart from them by the sandbox's own actors."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._clients: Counter[str] = Counter()
        self._actors: Counter[str] = Counter()
        self.actors: set[str] = set()
        """Their access keys."""

    def add(self, name: str, access_key: str) -> None:
        with self._lock:
            (self._actors if access_key in self.actors else self._clients)[name] += 1

    def snapshot(self, *, actors: bool = False) -> Counter[str]:
        with self._lock:
            return Counter(self._actors if actors else self._clients)

    def reset(self) -> None:
        with self._lock:
            self._clients.clear()
            self._actors.clear()


class Others(Outside, Identities, Protocol):
    """What the rest of AWS knows."""


class Application:
    def __init__(
        self,
        api: EcsApi,
        codedeploy_api: codedeploy.CodeDeployApi,
        outside: Others,
        controlled: Controlled,
        counts: CallCounts,
        faults: FaultScript,
        others: WSGIApplication,
    ) -> None:
        self._apis: dict[str, EcsApi | codedeploy.CodeDeployApi] = {
            wire.TARGET_PREFIX: api,
            codedeploy.TARGET_PREFIX: codedeploy_api,
        }
        self._api, self._outside = api, outside
        self._controlled = controlled
        self._counts = counts
        self._faults = faults
        self._others = others
        self.enforces_iam = False
        self.denied: list[str] = []
        """What IAM refused, in its words."""
        self.stopping = Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if path.startswith(PREFIX):
            status, reply = control(self._controlled, environ["REQUEST_METHOD"], path, _body(environ))
            return _respond(start_response, Answer(status, orjson.dumps(reply)), "application/json")
        name = call_name(environ)
        scope = scope_of(environ)
        self._counts.add(name, scope.access_key if scope else "")
        if self.enforces_iam and scope and (why := self._refusal(environ, name)):
            self.denied.append(why)
            return deny(why, name.partition(":")[0], environ, start_response)
        asked = Asked(name, lambda: _text(environ), lambda: self._caller(environ))
        if fault := self._faults.strike(asked):
            service = name.partition(":")[0]
            return perform(fault, service, environ, start_response, self._serve, self.stopping)
        return self._serve(environ, start_response)

    def _refusal(self, environ: WSGIEnvironment, name: str) -> str:
        scope = scope_of(environ)
        assert scope is not None  # noqa: S101
        return refusal(self._outside, scope.access_key, self._request(environ, name))

    def _request(self, environ: WSGIEnvironment, name: str) -> Request:
        scope = scope_of(environ)
        assert scope is not None  # noqa: S101
        return _request(environ, name, self._outside.principal(scope.access_key, scope.region).account)

    def _iam_simulation(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            body = simulation(self._outside, self._request(environ, CALL), self._api.names_role)
        except SimulationError as error:
            return refuse(error.status, error.code, error.message, "iam", environ, start_response)
        return _respond(start_response, Answer(200, body), "text/xml")

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        target: str = environ.get("HTTP_X_AMZ_TARGET", "")
        prefix, dot, operation = target.rpartition(".")
        if api := self._apis.get(prefix + dot):
            return _respond(start_response, self._simulated(environ, api, operation), wire.CONTENT_TYPE)
        if (scope := scope_of(environ)) and scope.service == "iam" and call_name(environ) == CALL:
            return self._iam_simulation(environ, start_response)
        return self._others(environ, start_response)

    def _caller(self, environ: WSGIEnvironment) -> str:
        scope = scope_of(environ)
        return self._outside.principal(scope.access_key, scope.region).arn if scope else ""

    def _simulated(self, environ: WSGIEnvironment, api: EcsApi | codedeploy.CodeDeployApi, operation: str) -> Answer:
        body, scope = _body(environ), scope_of(environ)
        if scope is None:
            problem = {"__type": MissingAuthenticationError.code, "message": "Missing Authentication Token"}
            return Answer(400, orjson.dumps(problem))
        principal = self._outside.principal(scope.access_key, scope.region)
        return api.answer(operation, body, principal, scope.region)


def _request(environ: WSGIEnvironment, name: str, account: str) -> Request:
    """The body is put back for who comes next. Streams of unknown length are none that IAM looks into."""
    scope = scope_of(environ)
    assert scope is not None  # noqa: S101
    path, query = environ["PATH_INFO"], parse_qs(environ.get("QUERY_STRING", ""))
    body: dict[str, Any] = {key: values[0] for key, values in query.items()}
    if scope.service != "s3" and environ.get("CONTENT_LENGTH"):
        raw = _body(environ)
        environ["wsgi.input"] = io.BytesIO(raw)
        body |= _fields(raw)
    if scope.service == "scheduler":
        below = "" if path.rstrip("/") == "/schedules" else "/"
        name = f"scheduler:{environ['REQUEST_METHOD']} /schedules{below}"
    return Request(name, account, scope.region, path, body)


def _fields(raw: bytes) -> dict[str, Any]:
    try:
        plain = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {key: values[0] for key, values in parse_qs(str(raw, "utf-8", "replace")).items()}
    return plain if isinstance(plain, dict) else {}


def _text(environ: WSGIEnvironment) -> str:
    """Path, query and body, the latter put back for who comes next. A body of unknown length is left alone."""
    body = b""
    if environ.get("CONTENT_LENGTH"):
        body = _body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
    place = f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
    return f"{place}\n{str(body, 'utf-8', 'replace')}"


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
