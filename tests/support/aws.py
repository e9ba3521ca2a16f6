"""AWS for tests: the sandbox's clients as the controller wires them, a turned clock, and answers made to order."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import orjson
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError

from controller.aws.accounts import CLIENTS
from controller.aws.calls import NOBODY, Caller, Observer
from controller.aws.limiter import Limiter
from controller.aws.ports import AwsError, NotFound, ObjectInfo, PreconditionFailed, StoredObject

REGION = "us-east-1"


@dataclass(slots=True)
class Turned:
    """A clock that moves by what is slept, and by hand."""

    at: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def caller(client: Any, clock: Turned | None = None, observer: Observer = NOBODY) -> Caller:
    """As the controller makes them, at AWS's full rates, and never waiting for real."""
    turned = clock or Turned()
    return Caller(client, Limiter(1.0, now=turned.now, sleep=turned.sleep), observer, turned.sleep)


@cache
def _session() -> Any:
    """One for the process: a session reads each service's model once, and that is what takes time."""
    return boto3.Session("AKIATEST", "secret")


def offline(service: str) -> Any:
    """A client that reaches nothing: it needs `Answers`."""
    return _session().client(service, region_name=REGION, endpoint_url="http://127.0.0.1:9", config=CLIENTS)


class _Raw(io.BytesIO):
    """As much of urllib3's response as botocore asks for."""

    def stream(self, amt: int = 65536, **_: Any) -> Iterator[bytes]:
        while chunk := self.read(amt):
            yield chunk


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    body: bytes | Mapping[str, Any] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: Any = None
    """Something to read the body from, instead of `body`."""


def refused(code: str, status: int = 400, message: str = "no") -> Reply:
    """An error of the JSON protocols (ECS, CloudWatch Logs, Secrets Manager)."""
    return Reply(status, {"__type": code, "message": message})


def refused_by_s3(code: str, status: int) -> Reply:
    return Reply(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())


Step = Reply | Exception | None


class Answers:
    """Answers a client's requests in order, in this process; None, or nothing left, lets a request through.

    `only` limits it to one operation. `asked` are the operations that were asked, in order.
    """

    def __init__(self, client: Any, *steps: Step, only: str = "*", always: Step = None) -> None:
        self._steps, self._always, self._only = list(steps), always, only
        self.asked: list[str] = []
        self.sent: list[bytes] = []
        client.meta.events.register_first("before-send", self._answer)

    def _answer(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rsplit(".", 1)[-1]
        self.asked.append(operation)
        self.sent.append(request.body or b"")
        if self._only not in ("*", operation):
            return None
        step = self._steps.pop(0) if self._steps else self._always
        if step is None or isinstance(step, Reply):
            return None if step is None else _response(request.url, step)
        raise step


def _response(url: str, reply: Reply) -> AWSResponse:
    body = reply.body if isinstance(reply.body, bytes) else orjson.dumps(reply.body)
    headers = HTTPHeaders()
    for name, value in reply.headers.items():
        headers[name] = value
    return AWSResponse(url, reply.status, headers, reply.raw or _Raw(body))


def lose_answers(client: Any, operation: str, times: int = 1) -> None:
    """The next requests of `operation` happen, and their answers never arrive."""
    left = [times]

    def lose(**_: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise ReadTimeoutError(endpoint_url=client.meta.endpoint_url)

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"before-parse.{service}.{operation}", lose)


class MemoryStore:
    """ports.ObjectStore in memory, with S3's conditions. `before` is called with each operation and key."""

    def __init__(self, bucket: str = "store") -> None:
        self.bucket = bucket
        self.objects: dict[str, StoredObject] = {}
        self.asked: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda _operation, _key: None
        self._written = 0
        self._writing = threading.RLock()

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        self._ask("list", prefix)
        found = [ObjectInfo(key, one.etag, len(one.body)) for key, one in sorted(self.objects.items())]
        yield from (info for info in found if info.key.startswith(prefix))

    def get(self, key: str, *, max_bytes: int | None = None) -> StoredObject:
        self._ask("get", key)
        if key not in self.objects:
            raise self._error(NotFound, "s3:GetObject", key)
        found = self.objects[key]
        return found if max_bytes is None else StoredObject(found.body[: max_bytes + 1], found.etag)

    def put(
        self, key: str, body: bytes, *, content_type: str, create: bool = False, replaces: str | None = None
    ) -> str:
        assert content_type
        self._ask("put", key)
        with self._writing:
            there = self.objects.get(key)
            if create and there is not None:
                raise self._error(PreconditionFailed, "s3:PutObject", key)
            if replaces is not None and there is None:
                raise self._error(NotFound, "s3:PutObject", key)
            if replaces is not None and there is not None and there.etag != replaces:
                raise self._error(PreconditionFailed, "s3:PutObject", key)
            return self.force(key, body)

    def delete(self, key: str, *, replaces: str | None = None) -> None:
        self._ask("delete", key)
        with self._writing:
            there = self.objects.get(key)
            if replaces is not None and (there is None or there.etag != replaces):
                raise self._error(NotFound if there is None else PreconditionFailed, "s3:DeleteObject", key)
            self.objects.pop(key, None)

    def force(self, key: str, body: bytes) -> str:
        """Somebody else writes. ETags are never the bytes' MD5, and never equal: as with SSE-KMS."""
        with self._writing:
            self._written += 1
            self.objects[key] = StoredObject(body, f"etag-{self._written}")
            return self.objects[key].etag

    def etags(self) -> dict[str, str]:
        return {key: one.etag for key, one in self.objects.items()}

    @contextmanager
    def failing(self, error: AwsError, operation: str, number: int = 1) -> Iterator[None]:
        """The `number`th such operation in the block fails, and does not happen."""
        seen = 0

        def fail(asked: str, _key: str) -> None:
            nonlocal seen
            seen += asked == operation
            if asked == operation and seen == number:
                raise error

        before, self.before = self.before, fail
        try:
            yield
        finally:
            self.before = before

    def _ask(self, operation: str, key: str) -> None:
        self.asked.append((operation, key))
        self.before(operation, key)

    def _error(self, kind: type[AwsError], operation: str, key: str) -> AwsError:
        return kind(operation, f"s3://{self.bucket}/{key}", kind.__name__, "no")
