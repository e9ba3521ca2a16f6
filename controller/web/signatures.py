"""Who sent a webhook: an HMAC over the raw body, checked while it comes in, so that no body is ever kept or parsed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

WINDOW = 300.0
"""Seconds that a signed timestamp may lie off, as the Standard Webhooks specification proposes."""
_HEX = re.compile(r"[0-9a-f]{64}")
_SIGNED_AT = re.compile(r"[0-9]{1,12}")
_ID = re.compile(r"[\x21-\x7e]{1,256}")
_MOST_SIGNATURES = 10
"""Of one request: keys that are rotated sign side by side."""


class Refused(StrEnum):
    """Why a hook is not heard. The sender learns no more than this."""

    NOT_SIGNED = "the request is not signed: set the hook's secret"
    WRONG = "the signature is not that of the configured secret"
    STALE = "the signed timestamp is more than five minutes off"


class Check(Protocol):
    """One request, piece by piece."""

    def feed(self, piece: bytes) -> None: ...

    def refusal(self) -> Refused | None:
        """After the last piece; None: it is from whom it says."""

    def identity(self) -> str:
        """Equal for a request that is sent once more."""


@dataclass(slots=True)
class _Macs:
    """Any of the secrets may have made any of the signatures."""

    given: Sequence[bytes]
    macs: list[hmac.HMAC] = field(repr=False)

    @classmethod
    def of(cls, given: Sequence[bytes], secrets: Sequence[bytes], first: bytes = b"") -> _Macs:
        return cls(given, [hmac.new(secret, first, hashlib.sha256) for secret in secrets])

    def feed(self, piece: bytes) -> None:
        for mac in self.macs:
            mac.update(piece)

    def refusal(self) -> Refused | None:
        if not self.given:
            return Refused.NOT_SIGNED
        digests = [mac.digest() for mac in self.macs]
        good = [hmac.compare_digest(digest, one) for digest in digests for one in self.given]
        return None if any(good) else Refused.WRONG

    def identity(self) -> str:
        return self.given[0].hex() if self.given else ""


@dataclass(slots=True)
class _Refusal:
    why: Refused

    def feed(self, piece: bytes) -> None:
        del piece

    def refusal(self) -> Refused | None:
        return self.why

    def identity(self) -> str:
        return ""


@dataclass(slots=True)
class _Token:
    """GitLab's older way: the secret itself in a header, and nothing that tells one body from another."""

    given: bytes = field(repr=False)
    secrets: Sequence[bytes] = field(repr=False)
    digest: object = field(default_factory=hashlib.sha256)

    def feed(self, piece: bytes) -> None:
        self.digest.update(piece)  # type: ignore[attr-defined] # hashlib names its type nowhere

    def refusal(self) -> Refused | None:
        good = [hmac.compare_digest(self.given, secret) for secret in self.secrets]
        return None if any(good) else Refused.WRONG

    def identity(self) -> str:
        return str(self.digest.hexdigest())  # type: ignore[attr-defined] # see above


Scheme = Callable[[Mapping[str, str], Sequence[str], float], Check]
"""Headers by lower-case name, the secrets, seconds since the epoch → the check of a request."""


def _hub(header: str) -> Scheme:
    """GitHub (X-Hub-Signature-256) and Bitbucket (X-Hub-Signature): `sha256=` and hex digits."""

    def scheme(headers: Mapping[str, str], secrets: Sequence[str], _now: float) -> Check:
        kind, _, digits = headers.get(header, "").strip().partition("=")
        given = [bytes.fromhex(digits)] if kind == "sha256" and _HEX.fullmatch(digits) else []
        return _Macs.of(given, [secret.encode() for secret in secrets])

    return scheme


def standard(headers: Mapping[str, str], secrets: Sequence[str], now: float) -> Check:
    """The Standard Webhooks specification: HMAC-SHA256 over `id.timestamp.body`, in base64 behind `v1,`."""
    name, signed_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    words = headers.get("webhook-signature", "").split(" ")[:_MOST_SIGNATURES]
    given = [found for word in words if (found := _base64(word.removeprefix("v1,"))) and word.startswith("v1,")]
    if not given or not _ID.fullmatch(name) or not _SIGNED_AT.fullmatch(signed_at):
        return _Refusal(Refused.NOT_SIGNED)
    if abs(now - int(signed_at)) > WINDOW:
        return _Refusal(Refused.STALE)
    return _Macs.of(given, [key_of(secret) for secret in secrets], f"{name}.{signed_at}.".encode())


def _gitlab(headers: Mapping[str, str], secrets: Sequence[str], now: float) -> Check:
    """Its signing token is the Standard Webhooks'; its older secret token is no signature."""
    if "webhook-signature" in headers:
        return standard(headers, secrets, now)
    token = headers.get("x-gitlab-token", "")
    return _Token(token.encode(), [secret.encode() for secret in secrets]) if token else _Refusal(Refused.NOT_SIGNED)


SCHEMES: Mapping[str, Scheme] = {
    "github": _hub("x-hub-signature-256"),
    "gitlab": _gitlab,
    "bitbucket": _hub("x-hub-signature"),
    "generic": standard,
}


def key_of(secret: str) -> bytes:
    """`whsec_` and base64, or any text."""
    bare = secret.removeprefix("whsec_")
    return (_base64(bare) if bare != secret else None) or secret.encode()


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
