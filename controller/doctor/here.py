"""What lies on this machine: files, programs, the address to listen on."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

from controller.checking.engine import Engine, WrongBinary
from controller.doctor.model import HERE, Finding, Sheet
from controller.fluentbit.engines import VERSIONS
from controller.settings import Settings

SHEET = Sheet(HERE)
OTHERS = 0o077


def look(settings: Settings) -> Iterator[Finding]:
    yield from _git_files(settings)
    yield from _engines(settings)
    yield _listen(settings.listen)
    yield _cache()


def _git_files(settings: Settings) -> Iterator[Finding]:
    git = settings.git
    for name, path, private in (
        ("git.tokenFile", git.token_file, True),
        ("git.sshKeyFile", git.ssh_key_file, True),
        ("git.knownHostsFile", git.known_hosts_file, False),
    ):
        if path is not None:
            yield _file(name, path, private=private)


def _file(name: str, path: Path, *, private: bool) -> Finding:
    try:
        with path.open("rb"):
            mode = path.stat().st_mode & 0o777
    except OSError as error:
        message = f"{name}: {path}: {error.strerror}"
        return SHEET.fail("git-files", message, "Mount the file, readable by the user that runs LogRoute")
    if private and mode & OTHERS:
        message = f"{name}: {path} may be read by others (mode {mode:o})"
        if name == "git.sshKeyFile":
            return SHEET.fail("git-files", message, f"ssh refuses such a key: chmod 600 {path}")
        return SHEET.warn("git-files", message, f"chmod 600 {path}")
    return SHEET.ok("git-files", f"{name}: {path}")


def _engines(settings: Settings) -> Iterator[Finding]:
    for version, path in sorted(settings.fluent_bit.items()):
        try:
            Engine(version, path).confirm()
        except (WrongBinary, OSError) as error:
            why = str(error) if isinstance(error, WrongBinary) else f"{path}: {error.strerror}"
            hint = "Configs for it go unchecked: put the path of the right binary into fluentBit"
            yield SHEET.fail("engine", f"fluentBit {version}: {why}", hint)
        else:
            yield SHEET.ok("engine", f"fluentBit {version}: {path}")


def unchecked(settings: Settings, wanted: set[str]) -> Iterator[Finding]:
    """`wanted`: the engines that routes run on. None of 5.0 stands for 5.1."""
    for engine in sorted(wanted & set(VERSIONS)):
        if not any(f"{version}.".startswith(f"{engine}.") for version in settings.fluent_bit):
            hint = f"Set fluentBit to a binary of it, as {{{engine}: /usr/bin/fluent-bit}}"
            yield SHEET.warn("engine", f"no Fluent Bit {engine} here: configs for it go unchecked", hint)


def _listen(address: str) -> Finding:
    """Another LogRoute on this machine may well be the one that listens."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((host, int(port)))
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else "no such port"
        hint = "Set listen to another address, unless it is LogRoute itself that listens"
        return SHEET.warn("listen", f"{address}: {why}", hint)
    return SHEET.ok("listen", f"{address} is free")


def _cache() -> Finding:
    """Where the controller makes it; it is not made here."""
    hint = "Mount a volume and set XDG_CACHE_HOME to it; without, each start fetches everything anew"
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute()
    except RuntimeError:
        return SHEET.warn("cache", "there is no home folder", hint)
    folder = next(one for one in (home / "logroute", home, *home.parents) if one.exists())
    if os.access(folder, os.W_OK | os.X_OK):
        return SHEET.ok("cache", f"{home / 'logroute'} may be written")
    return SHEET.warn("cache", f"{folder} may not be written", hint)
