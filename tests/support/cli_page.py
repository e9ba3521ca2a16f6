"""docs/cli.md from the commands' signatures: `python -m tests.support.cli_page` writes it anew.

From what controller/cli/main.py states itself: what typer makes of it differs from release to release.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import typer
from typer.models import OptionInfo, ParameterInfo

from controller.cli.main import app

PAGE = Path(__file__).parent.parent.parent / "docs" / "cli.md"

HEAD = """\
# Command line

`logroute` and `python -m controller` are the same; `logroute COMMAND --help` tells what stands here. Results go to stdout,
everything else to stderr. The exit status is 0 where nothing else is said and all went well, 1 after an error, 64 after
wrong usage, 130 after Ctrl-C, and 141 where the reader of a pipe went away. `LOGROUTE_DEBUG=1` shows the traceback of a
bug.

Settings come from `--config` and the environment ([settings.md](settings.md)). AWS is found as the aws CLI finds it.
"""


def page() -> str:
    commands = list(_commands(app, "logroute"))
    rows = "".join(f"| [`{name}`](#{name.replace(' ', '-')}) | {_told(does)} |\n" for name, does in commands)
    return HEAD + "\n| command | |\n|---|---|\n" + rows + "".join(_part(name, does) for name, does in commands)


def _commands(group: typer.Typer, before: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Those of a group, then those of the groups in it: each name in full, with its function."""
    for one in group.registered_commands:
        assert one.callback
        yield f"{before} {one.name or one.callback.__name__}", one.callback
    for inner in group.registered_groups:
        assert inner.typer_instance
        yield from _commands(inner.typer_instance, f"{before} {inner.name}")


def _told(does: Callable[..., Any]) -> str:
    assert does.__doc__
    return " ".join(does.__doc__.split())


def _part(name: str, does: Callable[..., Any]) -> str:
    rows = "".join(f"{row}\n" for row in _rows(does))
    return f"\n## {name}\n\n{_told(does)}\n\n| | | default |\n|---|---|---|\n{rows}"


def _rows(does: Callable[..., Any]) -> Iterator[str]:
    hints = get_type_hints(does, include_extras=True)
    for name, parameter in inspect.signature(does).parameters.items():
        kind, info = get_args(hints[name])
        assert info.help, f"{does.__name__}: {name} says nothing of itself"
        yield f"| {_spelling(name, kind, info)} | {info.help}{_choices(kind)} | {_default(parameter.default, info)} |"


def _spelling(name: str, kind: Any, info: ParameterInfo) -> str:
    plain = _plain(kind)
    if not isinstance(info, OptionInfo):
        return f"`{info.metavar or f'[{name.upper()}]'}`"
    value = "" if plain is bool else f" {info.metavar or _shape(plain)}"
    return ", ".join(f"`{one}{value}`" for one in _names(name, info))


def _names(name: str, info: OptionInfo) -> list[str]:
    """Within Annotated typer keeps the first name as a default, for there the default stands elsewhere."""
    first = [info.default] if isinstance(info.default, str) else []
    stated = [*first, *(info.param_decls or ())] or [f"--{name.replace('_', '-')}"]
    return [part for one in stated for part in one.split("/")]


def _plain(kind: Any) -> Any:
    """The type of one value: without None, and without the list."""
    kinds = [one for one in get_args(kind) or (kind,) if one is not NoneType]
    return get_args(kinds[0])[0] if get_origin(kinds[0]) is list else kinds[0]


def _shape(plain: Any) -> str:
    if plain in (int, float):
        return "NUMBER"
    return "PATH" if plain is Path else "TEXT"


def _choices(kind: Any) -> str:
    plain = _plain(kind)
    if not issubclass(plain, Enum):
        return ""
    return f" One of {', '.join(f'`{one.value}`' for one in plain)}."


def _default(value: Any, info: ParameterInfo) -> str:
    if value is inspect.Parameter.empty:
        return "required"
    if isinstance(info.show_default, str):
        return info.show_default
    value = value.value if isinstance(value, Enum) else value
    return "" if value in (None, "", False) else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page())
