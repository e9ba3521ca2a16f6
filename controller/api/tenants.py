"""Who may ask for what: a part of the settings, and so not of the specs."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from controller.api.values import Glob, Model


def _stays_below(path: str) -> str:
    if ".." in path.split("/"):
        raise ValueError("it leads out of the source: leave the .. out")
    return path


PathGlob = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_.*?@+=~ -][A-Za-z0-9_.*?/@+=~ -]{0,1023}$"),
    AfterValidator(_stays_below),
]
OutputGlob = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.*?-]+(/[A-Za-z0-9_.*?-]+)?$")]


class Tenant(Model):
    """What some namespaces may. A list that is absent bounds nothing; an empty one is an error, for it could mean both.
    Everything is a name or a glob.
    """

    namespaces: tuple[Glob, ...] = Field(min_length=1)
    """The namespaces that it is about."""
    paths: tuple[PathGlob, ...] = Field((), min_length=1)
    """Files of the source in which their specs may stand: `*` within a folder, `**` over folders, `teams/web/` for all
    below it.
    """
    accounts: tuple[Glob, ...] = Field((), min_length=1)
    """Names from the setting `accounts`."""
    clusters: tuple[Glob, ...] = Field((), min_length=1)
    """Clusters that they may target."""
    services: tuple[Glob, ...] = Field((), min_length=1)
    """Services and task families that they may target."""
    classes: tuple[Glob, ...] = Field((), min_length=1)
    """Router classes that they may use."""
    outputs: tuple[OutputGlob, ...] = Field((), min_length=1)
    """Plugins that their outputs may use, such as `s3`, and LogOutputs of other namespaces, as `namespace/name`; `*`
    for all.
    """
    may_override_router: bool = False
    """Whether a route may override its class (`spec.router`, `pipeline.service`)."""

    def holds_path(self, path: str) -> bool:
        """Whether it says that specs of its own stand there."""
        return any(path_pattern(glob).fullmatch(path) for glob in self.paths)


@lru_cache(maxsize=4096)
def path_pattern(glob: str) -> re.Pattern[str]:
    whole = f"{glob}**" if glob.endswith("/") else glob
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", whole)
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts))
