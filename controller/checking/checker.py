"""Which engines are at hand, and what they said of configs before: each is started once."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from controller.checking.engine import Engine, WrongBinary
from controller.checking.model import ConfigFile, Verdict, unchecked
from controller.checking.presented import PARSERS, PIPELINE
from controller.checking.process import USUAL, Bounds
from controller.fluentbit.engines import UNCHECKED

MAX_REMEMBERED = 10_000
AT_ONCE = 2
"""Engines that run side by side."""
VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?")

_Key = tuple[str, str, str]
_Stamp = tuple[str, int, int]


@dataclass(slots=True)
class Checker:
    """Thread-safe. `binaries`: engine version → path; `told` hears of each new verdict: its result and text."""

    binaries: Mapping[str, Path] = field(default_factory=dict)
    told: Callable[[str, str], None] = lambda _result, _text: None
    bounds: Bounds = USUAL
    _verdicts: OrderedDict[_Key, Verdict] = field(default_factory=OrderedDict, init=False)
    _confirmed: dict[_Stamp, str] = field(default_factory=dict, init=False)
    """Path, size and time of a binary → why it is not what it is said to be; "" where it is."""
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _busy: dict[_Key, threading.Lock] = field(default_factory=dict, init=False)
    _slots: threading.Semaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE), init=False)

    def engine(self, version: str) -> Engine | None:
        """The binary for an engine of the specs: 5.1 is any 5.1, the newest of them where there are several."""
        fitting = [one for one in self.binaries if f"{one}.".startswith(f"{version}.")]
        if not fitting:
            return None
        newest = version if version in self.binaries else max(fitting, key=_numbers)
        return Engine(newest, self.binaries[newest], self.bounds)

    def known(self, configs: Sequence[ConfigFile], version: str) -> Verdict | None:
        """What was found before; nothing is started."""
        with self._lock:
            return self._verdicts.get(_key(configs, version))

    def check(self, configs: Sequence[ConfigFile], version: str) -> Verdict:
        """Never raises: what keeps a check from being made is its reason for `unchecked`."""
        key = _key(configs, version)
        with self._lock:
            mine = self._busy.setdefault(key, threading.Lock())
        try:
            with mine:  # a second caller waits for the first, and finds its answer
                return self.known(configs, version) or self._new(key, configs, version)
        finally:
            with self._lock:
                self._busy.pop(key, None)

    def _new(self, key: _Key, configs: Sequence[ConfigFile], version: str) -> Verdict:
        engine = self.engine(version)
        if engine is None:
            verdict, keep = unchecked(_nobody(version)), True
        else:
            with self._slots:
                verdict, keep = self._judged(engine, configs)
        self.told(verdict.result.value, verdict.text)
        if keep:
            self._remember(key, verdict)
        return verdict

    def _judged(self, engine: Engine, configs: Sequence[ConfigFile]) -> tuple[Verdict, bool]:
        """And whether it will be so tomorrow: a binary that vanished may come back."""
        bodies = {config.name: config.body for config in configs}
        try:
            if why := self._why_not(engine):
                return unchecked(why), False
            return engine.judge(bodies[PIPELINE], bodies.get(PARSERS)), True
        except OSError as error:
            return unchecked(f"{engine.program} could not be started: {error}"), False
        except Exception as error:  # noqa: BLE001 - the check is an extra: its own failure stops no rollout
            return unchecked(f"the check itself failed: {type(error).__name__}: {error}"), False

    def _why_not(self, engine: Engine) -> str:
        """Raises OSError."""
        found = engine.program.stat()
        stamp = (f"{engine.version} {engine.program}", found.st_size, found.st_mtime_ns)
        if stamp not in self._confirmed:
            try:
                engine.confirm()
                self._confirmed[stamp] = ""
            except WrongBinary as error:
                self._confirmed[stamp] = str(error)
        return self._confirmed[stamp]

    def _remember(self, key: _Key, verdict: Verdict) -> None:
        with self._lock:
            self._verdicts[key] = verdict
            while len(self._verdicts) > MAX_REMEMBERED:
                self._verdicts.popitem(last=False)


def _key(configs: Sequence[ConfigFile], version: str) -> _Key:
    by_name = {config.name: config.sha256 for config in configs}
    return by_name.get(PIPELINE, ""), by_name.get(PARSERS, ""), version


def _nobody(version: str) -> str:
    if version == UNCHECKED:
        return "its class says engine: unchecked, so nobody knows which Fluent Bit to ask"
    return f"no binary of Fluent Bit {version} is at hand: name one in the setting fluentBit, or by --fluent-bit"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
