"""Secrets that settings name: `env:NAME`, `file:/path`, or a Secrets Manager ARN. Never the secret itself."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from controller.api.errors import Explained
from controller.aws.ports import AwsError, Secrets
from controller.telemetry.redaction import DEFAULT

KEPT_SECONDS = 600.0
"""A secret of Secrets Manager is read anew after so long: each read costs a request."""
LARGEST = 16 * 1024
_ENV = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")
_FILE = re.compile(r"file:/[^\x00-\x1f]+")
_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+")


class SecretError(Explained):
    """A secret cannot be read; the text names where it was looked for, never what was found."""


def _checked(text: str) -> str:
    if not any(one.fullmatch(text) for one in (_ENV, _FILE, _ARN)):
        # what was given is not shown: it may be the secret itself
        raise ValueError("must say where the secret is: env:NAME, file:/path, or the ARN of a Secrets Manager secret")
    return text


SecretRef = Annotated[str, AfterValidator(_checked)]


class SecretReader:
    """Thread-safe. Files and variables are read anew each time, for they are rotated."""

    def __init__(
        self,
        secrets: Secrets | None,
        monotonic: Callable[[], float],
        environment: Mapping[str, str] = os.environ,
        hides: Callable[[str], None] = DEFAULT.register,
    ) -> None:
        self._secrets, self._monotonic = secrets, monotonic
        self._environment, self._hides = environment, hides
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, str]] = {}

    def read(self, reference: str) -> str:
        """Without line breaks around it. Raises SecretError."""
        found = self._found(reference).strip()
        if not found:
            raise SecretError(f"{reference} is empty")
        self._hides(found)
        return found

    def all(self, references: Iterable[str]) -> list[str]:
        return [self.read(one) for one in references]

    def _found(self, reference: str) -> str:
        kind, _, rest = reference.partition(":")
        if kind == "env":
            if rest not in self._environment:
                raise SecretError(f"{reference}: there is no variable {rest} in the environment")
            return self._environment[rest]
        if kind == "file":
            return _file(Path(rest))
        return self._asked(reference)

    def _asked(self, arn: str) -> str:
        now = self._monotonic()
        with self._lock:
            at, text = self._kept.get(arn, (-KEPT_SECONDS, ""))
        if text and now - at < KEPT_SECONDS:
            return text
        if self._secrets is None:
            raise SecretError(f"{arn}: there is no access to Secrets Manager here")
        try:
            text = self._secrets.get(arn)
        except AwsError as error:
            raise SecretError(str(error)) from error
        with self._lock:
            self._kept[arn] = (now, text)
        return text


def _file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST).decode()
    except OSError as error:
        raise SecretError(f"file:{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SecretError(f"file:{path} is not text") from None
