"""Config → classic text: the same tree, the same bytes."""

from __future__ import annotations

from functools import lru_cache

from controller.fluentbit.safety import KEY, SECTION, all_harmless, value_trouble
from controller.fluentbit.tree import Config, Section

PARSER_SECTIONS = frozenset({"PARSER", "MULTILINE_PARSER"})
"""Valid in a parsers file only, and nothing else is valid there."""


def to_classic(config: Config) -> bytes:
    """Four spaces of indent, one blank line between sections, LF, UTF-8.

    Raises ValueError on whatever could read back as something else than this tree: the checks refuse such
    values with a place and a reason, and this is the second lock.
    """
    names = {section.name.upper() for section in config.sections}
    if names & PARSER_SECTIONS and names - PARSER_SECTIONS:
        raise ValueError("parsers and a pipeline cannot share a file")
    _check(config)
    return "\n".join([_text(section) for section in config.sections]).encode()


def _text(section: Section) -> str:
    return f"[{section.name}]\n" + "".join([f"    {key} {value}\n" for key, value in section.entries])


def _check(config: Config) -> None:
    for section in config.sections:
        if not _is_section(section.name):
            raise ValueError(f"no section can have the name {section.name!r}")
    entries = [entry for section in config.sections for entry in section.entries]
    for key in {key for key, _ in entries}:
        if not _is_key(key):
            raise ValueError(f"no option can have the name {key!r}")
    if all_harmless([value for _, value in entries]):
        return
    for key, value in entries:
        if trouble := value_trouble(value):
            raise ValueError(f"the value of {key} cannot be written: {trouble}")


@lru_cache(maxsize=64)
def _is_section(name: str) -> bool:
    return SECTION.fullmatch(name) is not None


@lru_cache(maxsize=4096)
def _is_key(key: str) -> bool:
    return KEY.fullmatch(key) is not None
