"""The `git` program, locked down: one protocol, no configuration but ours, no hooks, no prompts, no shell.

Needs git 2.32, the first that takes all of its configuration from the environment (GIT_CONFIG_COUNT of
2.31, GIT_CONFIG_GLOBAL of 2.32); an older one would silently run without these locks, so it is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from controller.sources.address import GitSpec
from controller.sources.credentials import Authorization, GitOptions, ssh_command
from controller.sources.errors import Reason, SourceError
from controller.sources.git_errors import explain
from controller.sources.keyring import SECONDS, Keyring
from controller.sources.process import Bounds, Finished, OutputTooLargeError, TimedOutError, run

_OLDEST = (2, 32)
_OLDEST_TO_VERIFY = (2, 35)
"""The first that tells ssh-keygen when a commit was made, for keys that hold for a time only."""
_MAX_OUTPUT = 8 * 1024 * 1024
_PASSED = (
    "PATH",
    "TMPDIR",
    "SSL_CERT_DIR",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
)
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "credential.helper": "",  # an empty one clears the list
    "fetch.recurseSubmodules": "false",
    "fetch.unpackLimit": "1",  # always a pack: fsck'd as one, and countable
    "fetch.writeCommitGraph": "false",
    "gc.auto": "0",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1",
    "http.sslVerify": "true",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    "transfer.fsckObjects": "true",
}


@dataclass(frozen=True, slots=True)
class Git:
    """Runs git for one source in one bare repository, `home`, which is also its HOME: no ~/.netrc."""

    spec: GitSpec
    options: GitOptions
    home: Path

    def local(self, *words: str, what: str, stdin: bytes = b"", max_output: int = _MAX_OUTPUT) -> bytes:
        """A command on the cache alone: no protocol is allowed, so no object is fetched on the way."""
        environment = self._environment(protocol="none", settings=_SETTINGS)
        done = self._run(words, environment, self.options.fetch_timeout, what, max_output, stdin)
        if done.code:
            raise explain(what, str(self.spec), done.err)
        return done.out

    def judged(self, *words: str, what: str, keyring: Keyring) -> Finished:
        """Verification by git itself, with our keys alone; what it found is in the code and on stderr."""
        environment = self._environment(protocol="none", settings={**_SETTINGS, **keyring.git_settings})
        return self._run(words, {**environment, **keyring.environment}, SECONDS, what, _MAX_OUTPUT)

    def remote(self, *words: str, what: str, seconds: float, header: Authorization | None) -> bytes:
        """A command that asks the server. Raises SourceError."""
        settings = {**_SETTINGS, "http.lowSpeedTime": str(max(1, int(seconds)))}
        environment = self._environment(protocol=self.spec.scheme, settings=settings)
        if self.spec.scheme == "ssh":
            environment |= {"GIT_SSH_COMMAND": ssh_command(self.options), "GIT_SSH_VARIANT": "ssh"}
            if agent := self.options.environment.get("SSH_AUTH_SOCK"):
                environment["SSH_AUTH_SOCK"] = agent
        with _in_memory(header if self.spec.scheme == "https" else None) as (more, files):
            done = self._run(words, environment | more, seconds, what, _MAX_OUTPUT, files=files)
        if done.code:
            hidden = [secret.reveal() for secret in header.hidden] if header else []
            raise explain(what, str(self.spec), done.err, hidden)
        return done.out

    def check_version(self) -> None:
        """Raises SourceError (GitUnusable) where git is too old for the locks to hold, or for what is verified."""
        said = self.local("version", what="ask git's version for").decode(errors="replace")
        found = re.search(r"(\d+)\.(\d+)", said)
        needed = _OLDEST_TO_VERIFY if self.options.verify else _OLDEST
        if not found or (int(found[1]), int(found[2])) < needed:
            oldest = ".".join(map(str, needed))
            raise SourceError(
                Reason.GIT_MISSING,
                f"git {oldest} or newer is needed, here is: {said.strip()[:40]}",
                "Update git",
            )

    def _run(
        self,
        words: tuple[str, ...],
        environment: Mapping[str, str],
        seconds: float,
        what: str,
        max_output: int,
        stdin: bytes = b"",
        files: Sequence[int] = (),
    ) -> Finished:
        bounds = Bounds(seconds, max_output, self.options.max_pack_bytes)
        try:
            return run(("git", *words), environment=environment, cwd=self.home, bounds=bounds, stdin=stdin, files=files)
        except TimedOutError:
            message = f"cannot {what} {self.spec}: no end within {seconds:g} s"
            raise SourceError(Reason.TIMED_OUT, message, "Check the network, proxy and firewall") from None
        except OutputTooLargeError:
            message = f"cannot {what} {self.spec}: the answer has more than {max_output:,} bytes"
            raise SourceError(Reason.TOO_LARGE, message, "Point it at a smaller folder or repository") from None
        except OSError as error:
            message = f"the git program cannot be started: {error.strerror}"
            raise SourceError(Reason.GIT_MISSING, message, "Install git, and see that it is in PATH") from None

    def _environment(self, *, protocol: str, settings: Mapping[str, str]) -> dict[str, str]:
        """All that the child gets to see, and no secret: any program of this user may read it."""
        outer = self.options.environment
        environment = {name: outer[name] for name in _PASSED if name in outer}
        ca_file = self.options.ca_file or outer.get("GIT_SSL_CAINFO") or outer.get("SSL_CERT_FILE")
        if ca_file:
            environment["GIT_SSL_CAINFO"] = str(ca_file)
        environment |= {
            "HOME": str(self.home),
            "LC_ALL": "C",
            "GIT_DIR": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "GIT_ALLOW_PROTOCOL": protocol,
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_CONFIG_COUNT": str(len(settings)),
        }
        for number, (key, value) in enumerate(settings.items()):
            environment[f"GIT_CONFIG_KEY_{number}"] = key
            environment[f"GIT_CONFIG_VALUE_{number}"] = value
        return environment


@contextmanager
def _in_memory(header: Authorization | None) -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
    """The header as a configuration that the child alone has, and that is never on a disk: the variable that names it,
    and its descriptor. Where the system has no such files (outside Linux) the variable holds it.
    """
    if header is None:
        yield {}, ()
        return
    value = header.line.reveal()
    if not hasattr(os, "memfd_create"):
        yield {"GIT_CONFIG_PARAMETERS": f"'http.extraheader'='{value}'"}, ()
        return
    file = os.memfd_create("logroute")
    try:
        os.write(file, f'[http]\n\textraHeader = "{value}"\n'.encode())
        yield {"GIT_CONFIG_GLOBAL": f"/proc/self/fd/{file}"}, (file,)
    finally:
        os.close(file)
