"""Options that name files of the router, and where they may not point: what the kernel, the init image and devices
show there is no log. `/proc/self/environ` holds every secret of the router.
"""

from __future__ import annotations

import posixpath
import re

from controller.fluentbit.findings import Finding, error
from controller.fluentbit.flow import can_meet
from controller.fluentbit.words import shown

_FORBIDDEN = ("/proc", "/sys", "/dev", "/init", "/tmp/init")  # noqa: S108 - where init goes if /init is read-only
_NAMES = frozenset({"db", "file", "google_service_credentials", "path", "script", "typesdb", "upstream"})
_ENDS = ("_file", "_path", ".path", "_dir", "_file_location")
_URL_PATHS = frozenset({"es", "opensearch"})
"""Outputs whose `path` belongs to a URL."""
_WILD = re.compile(r"\[[^\]]*\]|\?|\{[^}]*\}")
_LONGEST = 500


def names_a_path(plugin: str, option: str) -> bool:
    """By names in lower case."""
    if option == "path" and plugin in _URL_PATHS:
        return False
    return option in _NAMES or option.endswith(_ENDS)


def check_path(option: str, text: str) -> list[Finding]:
    if not any(map(_reaches, text.split(","))):
        return []
    message = (
        f"{option}: {shown(text)} reaches into {', '.join(_FORBIDDEN)}, where secrets and the router's own files lie"
    )
    return [error((), "FORBIDDEN_PATH", message, "point at a folder of logs")]


def _reaches(path: str) -> bool:
    """Whether the path, which may hold wildcards, can lead there."""
    whole = posixpath.normpath(_WILD.sub("*", f"/{path.strip()}")).replace("//", "/")
    if len(whole) > _LONGEST:
        return True
    return any(can_meet(whole, root) or can_meet(whole, f"{root}/*") for root in _FORBIDDEN)
