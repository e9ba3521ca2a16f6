"""The place of the network: requests that botocore has serialised and signed are answered in this process."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import botocore
from botocore.awsrequest import AWSResponse


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Service(Protocol):
    def answer(self, operation: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply: ...


class _Raw(io.BytesIO):
    """As much of urllib3's response as botocore asks for."""

    def stream(self, amt: int = 65536, **_: Any) -> Iterator[bytes]:
        while chunk := self.read(amt):
            yield chunk


class Wire:
    """Counts what is sent, as `service:Operation`. `cpu` is what answering took, which is nobody's cost but ours here."""

    _plugged: ClassVar[list[Callable[[Any], None]]] = []

    def __init__(self, **services: Service) -> None:
        self._services = services
        self.calls: Counter[str] = Counter()
        self.cpu = 0.0

    def plug_in(self) -> None:
        """Botocore sessions that this process makes from now on talk to this wire, and to no other."""
        self.unplug()
        self._plugged.append(lambda session: session.register("before-send", self._answer))
        botocore.register_initializer(self._plugged[0])

    @classmethod
    def unplug(cls) -> None:
        """Botocore sessions that this process makes from now on reach what their endpoint says."""
        while cls._plugged:
            botocore.unregister_initializer(cls._plugged.pop())

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """The calls made inside the block."""
        found: Counter[str] = Counter()
        before = self.calls.copy()
        yield found
        found.update(self.calls - before)

    def net_cpu(self, work: Callable[[], Any]) -> float:
        """CPU seconds of `work` without those that answering took."""
        start, answering = time.process_time(), self.cpu
        work()
        return time.process_time() - start - (self.cpu - answering)

    def _answer(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        start = time.thread_time()
        service, operation = event_name.removeprefix("before-send.").removeprefix("cloudwatch-").split(".")
        self.calls[f"{service}:{operation}"] += 1
        headers = {name: _text(value) for name, value in request.headers.items()}
        reply = self._services[service].answer(operation, request.url, headers, _bytes(request.body))
        answered: Any = dict(reply.headers)
        answer = AWSResponse(request.url, reply.status, answered, _Raw(reply.body))
        self.cpu += time.thread_time() - start
        return answer


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(body: Any) -> bytes:
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body or b"")
