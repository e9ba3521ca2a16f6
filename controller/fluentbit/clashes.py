"""What one route may not say twice, and what it may only say where the settings allow it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controller.fluentbit.findings import Finding, Path, error
from controller.fluentbit.ports import Port, input_port, output_port
from controller.fluentbit.words import shown

Options = Mapping[str, Any]
_NAMES = ("emitter_name", "alias")
"""Two emitters or aliases of one name stop Fluent Bit (flb_input_name_exists in in_emitter; filter aliases)."""


def check_ports(inputs: Sequence[Options], outputs: Sequence[tuple[int, Options]]) -> Iterator[Finding]:
    """Two listeners on one port. `outputs` by their place in the route; paths start at the pipeline."""
    claims: list[tuple[Path, Port | None]] = [(("inputs", at), input_port(one)) for at, one in enumerate(inputs)]
    claims += [(("outputs", at), output_port(one)) for at, one in outputs]
    seen: set[Port] = set()
    for path, port in claims:
        if port in seen:
            message = f"another section of this route listens on port {port} already: Fluent Bit would stop"
            yield error((*path, "port"), "DUPLICATE_PORT", message, "give one of them another port")
        if port:
            seen.add(port)


def check_names(filters: Sequence[Options]) -> Iterator[Finding]:
    """Paths start at the pipeline."""
    seen: set[tuple[str, str]] = set()
    for at, options in enumerate(filters):
        for key in _NAMES:
            name = options.get(key)
            if isinstance(name, str) and (key, name) in seen:
                message = f"another filter of this route has the {key} {shown(name)}: Fluent Bit would stop"
                yield error(("filters", at, key), "DUPLICATE_ALIAS", message, "choose another, or none")
            seen.add((key, str(name)))


def check_lua(filters: Sequence[Options], *, allowed: bool) -> Iterator[Finding]:
    """A script is a program in the router, with the rights of the task. Paths start at the pipeline."""
    for at, options in enumerate(filters):
        if str(options.get("name")).lower() != "lua":
            continue
        if "script" in options:
            hint = "write it on one line, as code"
            message = "a script's file would have to be in the image, where nobody reviews it with this spec"
            yield error(("filters", at, "script"), "LUA_SCRIPT", message, hint, key=True)
        elif not allowed:
            hint = "use modify, record_modifier, nest or grep; or set lua: allow in the settings (LOGROUTE_LUA=allow)"
            message = "Lua runs programs in the router, with the rights of the task, and the settings do not allow it"
            yield error(("filters", at, "name"), "LUA_NOT_ALLOWED", message, hint)
