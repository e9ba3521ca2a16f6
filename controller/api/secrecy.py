"""Which names are those of secrets: one rule for what is logged and for what is shown of definitions."""

from __future__ import annotations

import re

WORDS = (
    "token|password|passwd|pwd|passphrase|secret|authorization|bearer|signature|cookie|api[_-]?key"
    "|(?:access|account|encryption|license|private|secret|shared|signing)[_-]?key"
)
"""What stands before a secret in a text, as the alternatives of a pattern; case does not count."""

_NAMES = rf"{WORDS}|auth(?!or)|credential"
# At the end of the name only: secretArn, token_file and access_key_id are no secrets.
_NAMED = re.compile(rf"(?:{_NAMES}|secret[_-]?(?:string|binary|value))s?$", re.IGNORECASE)
_SPOKEN_OF = re.compile(_NAMES, re.IGNORECASE)
# The scheme is bounded, or a long run of letters and dots would be searched from each of its places.
USERINFO = re.compile(r"\b([a-z][a-z0-9+.-]{0,20}://)[^\s/?#\"'<>]*@", re.IGNORECASE)
"""`https://user:pass@` of a URL; the group is what comes before the user."""


def names_secret(name: str) -> bool:
    """Whether a key of this name holds a secret, in any case and any spelling of its words."""
    return _NAMED.search(_spelled(name)) is not None


def may_hold_secret(name: str, value: str) -> bool:
    """The wider rule, for keys that other people chose: a name that speaks of a secret anywhere, or a URL with a
    user in it. What it hides without need costs little.
    """
    return _SPOKEN_OF.search(_spelled(name)) is not None or USERINFO.search(value) is not None


def _spelled(name: str) -> str:
    return re.sub(r"[. ]", "_", name)
