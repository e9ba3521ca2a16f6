"""What a person meant by a name, or by the end of one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from controller.cli.failures import CommandError

SHOWN = 3


def meant(what: str, given: str, names: Iterable[str]) -> str:
    """The one whose whole name it is, or an end of it that no other has. Raises CommandError."""
    there = sorted(names)
    found = [name for name in there if name == given] or [name for name in there if name.endswith(f"/{given}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"{given} may be any of {', '.join(found[:SHOWN])}{' …' * (len(found) > SHOWN)}")
    near = _near(given, there)
    tail = f"; did you mean {' or '.join(near)}?" if near else "; `logroute status` lists them"
    raise CommandError(f"there is no {what} {given}{tail}")


def _near(given: str, names: Iterable[str]) -> list[str]:
    """Names whose end of as many parts looks like it."""
    parts = given.count("/") + 1
    ends = {"/".join(name.split("/")[-parts:]): name for name in names}
    return [ends[end] for end in get_close_matches(given, ends, SHOWN)]
