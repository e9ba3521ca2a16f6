"""The mark: docker labels on the router that say whose it is, what it was made from, and what was there before.

Tools that copy a definition and swap an image keep labels and lose tags; so labels are the truth and tags
repeat them for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from controller.taskdef.body import Body
from controller.taskdef.foreign import Foreign

PREFIX = "logroute.dev/"
OWNER, DIGEST, ORIGINAL, ROUTES = (PREFIX + name for name in ("owner", "digest", "original", "routes"))
ABSENT = "absent"
PIECE = 3000
"""Bytes of one label. Docker has no documented limit on a label's value; tools in between do."""


@dataclass(frozen=True, slots=True)
class Originals:
    """What `put` replaced, canonical and minimal.

    `log_configurations`: container → its former logConfiguration, or `"absent"`. `volumes`: names of the
    task volumes that `put` added. `router`: the one that ours took the place of. `empty`: lists that were there and
    empty, as `/volumes` or `/<container>/dependsOn`; to ECS they are the same as none.
    """

    log_configurations: dict[str, Any] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    router: Foreign | None = None
    empty: tuple[str, ...] = field(default=(), compare=False)
    size: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """`cpu` or `memory` of the task → what it was, and what `put` made of it."""

    def as_plain(self) -> Body:
        """Members that hold nothing are left out: earlier versions do not know them."""
        plain: Body = {"logConfiguration": self.log_configurations, "volumes": list(self.volumes)}
        if self.router:
            plain["router"] = self.router.as_plain()
        if self.size:
            plain["size"] = {name: list(both) for name, both in self.size.items()}
        return {**plain, "empty": list(self.empty)} if self.empty else plain

    @classmethod
    def from_plain(cls, plain: Any) -> Originals:
        """ValueError where `plain` is not what `as_plain` gives."""
        if not isinstance(plain, Mapping):
            raise ValueError("the originals are no object")  # noqa: TRY004 - data, not a caller's mistake
        drivers, volumes = plain.get("logConfiguration"), plain.get("volumes")
        if not isinstance(drivers, Mapping) or not all(
            one == ABSENT or isinstance(one, dict) for one in drivers.values()
        ):
            raise ValueError("the original log configurations are not readable")
        if not isinstance(volumes, list | tuple) or not all(isinstance(one, str) for one in volumes):
            raise ValueError("the original volumes are not readable")
        router, empty = plain.get("router"), plain.get("empty", ())
        if not isinstance(empty, list | tuple):
            raise ValueError("the lists that were empty are not readable")  # noqa: TRY004 - as above
        size = plain.get("size", {})
        if not isinstance(size, Mapping) or not all(_is_size(name, both) for name, both in size.items()):
            raise ValueError("the original size is not readable")
        return cls(
            dict(drivers),
            tuple(volumes),
            None if router is None else Foreign.from_plain(router),
            tuple(map(str, empty)),
            {name: (both[0], both[1]) for name, both in size.items()},
        )


def _is_size(name: Any, both: Any) -> bool:
    return name in ("cpu", "memory") and isinstance(both, list | tuple) and list(map(type, both)) == [str, str]


@dataclass(frozen=True, slots=True)
class Mark:
    owner: str
    digest: str
    originals: Originals | None
    """None where the labels that hold them are lost or broken."""


def labels(mark: Mark) -> dict[str, str]:
    plain = mark.originals.as_plain() if mark.originals else {}
    ascii_text = _ascii(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS).decode())
    pieces = [ascii_text[start : start + PIECE] for start in range(0, len(ascii_text), PIECE)]
    named = {ORIGINAL if not number else f"{ORIGINAL}.{number}": piece for number, piece in enumerate(pieces)}
    return {OWNER: mark.owner, DIGEST: mark.digest, **named}


def read(container: Body) -> Mark | None:
    """The mark of a container, or None where it carries none."""
    found = container.get("dockerLabels") or {}
    if OWNER not in found:
        return None
    return Mark(found[OWNER], found.get(DIGEST, ""), _originals(found))


def unmarked(container: Body) -> Body:
    """The container without the mark; a label map that held nothing else goes too."""
    kept = {key: value for key, value in (container.get("dockerLabels") or {}).items() if not key.startswith(PREFIX)}
    rest = {key: value for key, value in container.items() if key != "dockerLabels"}
    return {**rest, "dockerLabels": kept} if kept else rest


def _originals(found: dict[str, str]) -> Originals | None:
    pieces, number = [found.get(ORIGINAL, "")], 1
    while f"{ORIGINAL}.{number}" in found:
        pieces.append(found[f"{ORIGINAL}.{number}"])
        number += 1
    try:
        return Originals.from_plain(orjson.loads("".join(pieces)))
    except ValueError:
        return None


def _ascii(json_text: str) -> str:
    """JSON with everything beyond ASCII escaped, so that a piece is as many bytes as characters."""
    if json_text.isascii():
        return json_text
    return "".join(char if char.isascii() else _escape(char) for char in json_text)


def _escape(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
