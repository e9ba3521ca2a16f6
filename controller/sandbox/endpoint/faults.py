"""Faults that a test or a scenario scripts for single AWS calls, of any service."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import count
from threading import Lock
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

LONGEST = 300.0
"""Real seconds. A client that waits longer than that for an answer waits for ever."""
_WITH_SECONDS = frozenset({"delay", "hang"})


class Fault(BaseModel):
    """Strikes calls whose name fits `calls`, as `ecs:Update*` or `s3:PutObject`.

    error: an answer with `code`, `message` and `status`, in the shape of the service's protocol.
    throttle: the answer with which that service throttles.
    lose-answer: the call happens, and the connection closes without an answer.
    refuse: the connection closes, and nothing has happened.
    delay: the call happens `seconds` (of real time) late.
    hang: nothing happens; after `seconds` the connection closes without an answer.
    garbage: 200, with an HTML page of somebody in between.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: Annotated[str, StringConstraints(pattern=r"^[^:\s]+:[^:\s]+$")]
    effect: Literal["error", "throttle", "lose-answer", "refuse", "delay", "hang", "garbage"]
    id: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,64}$")] | None = None
    """To remove it by; None: fault-1, fault-2 and so on."""
    matching: str | None = None
    """A regex, searched in path, query and body."""
    by: str | None = None
    """A glob for the ARN of who calls: `*:assumed-role/ci/*`."""
    after: int = Field(0, ge=0)
    """How many calls that fit it lets pass first."""
    times: int = Field(1, ge=0)
    """0: until it is removed."""
    code: str | None = None
    message: str = "This was asked of the sandbox."
    status: int = Field(400, ge=300, le=599)
    seconds: float = Field(0.0, ge=0, le=LONGEST)

    @model_validator(mode="after")
    def _fits_its_effect(self) -> Self:
        stated = self.model_fields_set
        if self.effect == "error" and not self.code:
            raise PydanticCustomError("no_code", 'the effect "error" needs a code, such as AccessDenied')
        if self.effect != "error" and (odd := sorted(stated & {"code", "message", "status"})):
            raise PydanticCustomError("odd_key", '{key} goes with the effect "error" only', {"key": odd[0]})
        if (self.effect in _WITH_SECONDS) != ("seconds" in stated):
            raise PydanticCustomError("seconds", 'seconds go with the effects "delay" and "hang", which need them')
        return self

    @model_validator(mode="after")
    def _has_a_regex(self) -> Self:
        try:
            re.compile(self.matching or "")
        except re.error as error:
            raise PydanticCustomError("regex", "matching is no regex: {why}", {"why": str(error)}) from error
        return self


@dataclass(frozen=True, slots=True)
class Asked:
    """One call, as faults look at it. `text` and `caller` cost something, and few faults ask."""

    name: str
    text: Callable[[], str]
    caller: Callable[[], str]


@dataclass(slots=True)
class _Waiting:
    fault: Fault
    seen: int = 0
    struck: int = 0

    @property
    def spent(self) -> bool:
        return 0 < self.fault.times <= self.struck

    def strikes(self, asked: Asked) -> bool:
        if self.spent or not _fits(self.fault, asked):
            return False
        self.seen += 1
        if self.seen <= self.fault.after:
            return False
        self.struck += 1
        return True


def _fits(fault: Fault, asked: Asked) -> bool:
    return (
        fnmatchcase(asked.name, fault.calls)
        and (fault.by is None or fnmatchcase(asked.caller(), fault.by))
        and (fault.matching is None or re.search(fault.matching, asked.text()) is not None)
    )


class FaultScript:
    """Every fault that was scripted, spent ones too, until it is removed. Of several that fit, the oldest strikes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count(1)
        self._waiting: dict[str, _Waiting] = {}

    def add(self, fault: Fault) -> str:
        """Its id. Raises ValueError where there is one of that id already."""
        with self._lock:
            name = fault.id or f"fault-{next(self._numbers)}"
            if name in self._waiting:
                raise ValueError(f"there is a fault {name} already")
            self._waiting[name] = _Waiting(fault)
            return name

    def remove(self, name: str) -> None:
        """Raises LookupError where there is no such fault."""
        with self._lock:
            if self._waiting.pop(name, None) is None:
                raise LookupError(f"there is no fault {name}")

    def strike(self, asked: Asked) -> Fault | None:
        with self._lock:
            return next((one.fault for one in self._waiting.values() if one.strikes(asked)), None)

    def shown(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {"id": name, **one.fault.model_dump(exclude_unset=True), "seen": one.seen, "struck": one.struck}
                for name, one in self._waiting.items()
            ]
