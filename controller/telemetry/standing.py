"""What stands, so that it is told once: when it comes, and when it goes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping

MOST = 10_000
"""Things that happened once and are not to be told again."""


class Standing:
    """Thread-safe. Something has a scope and a name, and is wrong for reasons, each with its message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, dict[Hashable, Mapping[str, str]]] = {}
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()

    def new(self, scope: str, name: Hashable, found: Mapping[str, str]) -> list[tuple[str, str]]:
        """Reasons, with messages, that did not stand before; from now on all of `found` stands, and nothing else."""
        with self._lock:
            names = self._found.setdefault(scope, {})
            before = names.get(name, {})
            if found:
                names[name] = found
            else:
                names.pop(name, None)
        return [(reason, message) for reason, message in found.items() if reason not in before]

    def known(self, scope: str, name: Hashable) -> Mapping[str, str]:
        with self._lock:
            return self._found.get(scope, {}).get(name, {})

    def only(self, scope: str, names: Iterable[Hashable]) -> list[Hashable]:
        """Whatever else stood in the scope stands no more; its names."""
        kept = set(names)
        with self._lock:
            there = self._found.get(scope, {})
            gone = [name for name in there if name not in kept]
            for name in gone:
                del there[name]
        return gone

    def forget(self, start: str) -> None:
        """All scopes whose name begins so."""
        with self._lock:
            for scope in [one for one in self._found if one.startswith(start)]:
                del self._found[scope]

    def first(self, scope: str, name: str) -> bool:
        """Whether this is heard of for the first time."""
        with self._lock:
            new = (scope, name) not in self._told
            self._told[scope, name] = None
            while len(self._told) > MOST:
                self._told.popitem(last=False)
        return new
