"""What came of a check, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Result(StrEnum):
    ACCEPTED = "accepted"
    """The engine came up on the config and stayed up."""
    REJECTED = "rejected"
    """The engine ended, or lives on in a way that a router must not."""
    UNCHECKED = "unchecked"
    """Nothing can be said; in doubt a config is not refused."""


@dataclass(frozen=True, slots=True)
class Verdict:
    result: Result
    reason: str
    """One sentence for people."""
    words: tuple[str, ...] = ()
    """What the engine said, one line each: no paths of the run, no colours, no stand-ins of secrets."""
    sections: tuple[int, ...] = ()
    """Sections of pipeline.conf that the words are about, counted from 0."""

    @property
    def text(self) -> str:
        return f"{self.reason}: {'; '.join(self.words)}" if self.words else self.reason


def unchecked(reason: str) -> Verdict:
    return Verdict(Result.UNCHECKED, reason)


class ConfigFile(Protocol):
    """One config object of a service, such as desired.model.ConfigObject."""

    @property
    def name(self) -> str: ...
    @property
    def body(self) -> bytes: ...
    @property
    def sha256(self) -> str: ...
