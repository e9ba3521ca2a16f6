"""Text that tries to be more than a value, and sections that hold it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from controller.fluentbit.catalogue import Kind, names, plugin
from controller.fluentbit.types import ValueType

PLANTED = "planted-d41d8cd98f"
"""What the environment of the router holds and no config may show."""
FRAGMENTS = (
    "\n", "\r\n", "\r", "\x00", "\x0b", "\x0c", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff", "\ud800", "\u202e",
    "\n[OUTPUT]\n    name file\n    match *\n    file pwned\n", "\n[INPUT]\n    name exec\n    command touch pwned\n",
    "[OUTPUT]", "[PARSER]", "[parser]", "[MULTILINE_PARSER]", "[SERVICE]", "[", "]", "@INCLUDE /etc/passwd", "@SET HOME=x",
    "@", "#", "# x", ";", "${HOME}", "${PLANTED}", "${PLANTED:-x}", "${", "}", "{", "$", "$$", "${ECS_CLUSTER}", "${ECS_NO}",
    "${${ECS_NO}PLANTED}", "$${ECS_NO}{PLANTED}", "${DECLARED}", "{PLANTED}", "$(touch pwned)", "`touch pwned`", "; touch pwned",
    "'", '"', '\\"', "\\'", "\\", "\\\\", '""', '"a b"', "'a b'", " ", "  ", "\t", ",", ":", "=", "/", "%", "%s", "%n", "%Y",
    "a", "b c", "x", "log", "name exec", "é", "日本", "\U0001f600", "\u0130", "\u212a", "ﬁ", "\u00a0", "\u3000", "-1", "0", "true",
    "(", ")", "(?<n>", "(?", "*", "+", "?", "{2}", "{3,2}", "|", "^", ".", "\\d", "\\x", "\\p{L}", "[a-z]", "[^", "(?i)",
    "$log", "$TAG", "$TAG[0]", "$TAG[", "$a['b']", "$a['", "../..", "A" * 60, "\\n", "\\u0041", "&", "<", ">", "~", "!",
)  # fmt: skip
MILD = tuple(one for one in FRAGMENTS if one.isprintable() and "${" not in one and "arser]" not in one.lower())
"""What a value may hold, if not everywhere."""
_SHORT, _LONG = 6, 3000


def text(source: random.Random) -> str:
    """A few fragments; now and then letters from all over, or more than a line should hold."""
    kind = source.random()
    if kind < 0.1:
        return "".join(chr(source.randrange(0x20, 0x3000)) for _ in range(source.randrange(1, 12)))
    if kind < 0.12:
        return source.choice(FRAGMENTS) + "y" * source.randrange(_LONG, 2 * _LONG) + source.choice(FRAGMENTS)
    some = FRAGMENTS if kind < 0.4 else MILD
    parts = [source.choice(some) for _ in range(source.randrange(1, _SHORT))]
    return source.choice(("", "", "k ", "$log ^x ", "key_value_matches a ")) + source.choice(("", " ")).join(parts)


def section(source: random.Random, kind: Kind, engine: str) -> dict[str, Any]:
    """A plugin of the catalogue with what it needs, and hostile text in some of its options."""
    name = source.choice(names(kind, engine)) if kind in ("inputs", "filters", "outputs") else kind
    facts = plugin(kind, name, engine)
    assert facts is not None
    chosen = [source.choice(group) for group in facts.required]
    keys = sorted(facts.options.keys() - {"name"})
    chosen += source.sample(keys, min(len(keys), source.randrange(1, 4)))
    options: dict[str, Any] = {"name": name} if kind != "service" else {}
    for key in chosen:
        option = facts.options.get(key)
        value = text(source) if option is None or source.random() < 0.6 else fitting(option.type, source)
        options[key] = [value, text(source)] if option and option.repeatable and source.random() < 0.3 else value
    return options


_FITTING: Mapping[str, Callable[[random.Random], str]] = {
    "int": lambda source: str(source.choice((0, 1, 7, 2**31 - 1, 2**31, -1, 10**30))),
    "double": lambda source: source.choice(("0.5", "1", "1e9", "nan", "inf")),
    "size": lambda source: source.choice(("1", "5M", "10G", "99999999999G", "-1", "1.5k", "0x10")),
    "time": lambda source: source.choice(("1", "10s", "5m", "99999d", "-1s")),
    "bool": lambda source: source.choice(("On", "off", "yes", "2")),
}


def fitting(kind: ValueType, source: random.Random) -> str:
    """What the option takes, or nearly."""
    if kind.choices:
        return source.choice(kind.choices)
    return _FITTING[kind.name](source) if kind.name in _FITTING else text(source)
