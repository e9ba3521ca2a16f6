"""What gpg and ssh-keygen said of a signature, as a verdict in words.

gpg: the status lines of GnuPG's doc/DETAILS. ssh-keygen has no such lines: its texts are those of OpenSSH 8.2 to 10.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_STATUS = re.compile(r"^\[GNUPG:\] ([A-Z_]+)(?: ([0-9A-Za-z]+))?", re.MULTILINE)
_VALID = re.compile(r"^\[GNUPG:\] VALIDSIG ([0-9A-F]{40,64})(?: \S+){8} ([0-9A-F]{40,64})\s*$", re.MULTILINE)
"""The fingerprint of the key that signed, and the one of the key that it belongs to."""
_FINGERPRINT = re.compile(r"\bkey (SHA256:[A-Za-z0-9+/=]{20,60})")
_FOLLOW = "Sign the commit or tag anew, or see docs/signed-specs.md"
_ROTATE = "Sign anew with a key that holds, or give its owner's newer key under keys"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` it does not count, "" where it does; no text of the one who signed is in it."""

    why: str = ""
    hint: str = ""

    @property
    def good(self) -> bool:
        return not self.why


GOOD = Verdict()
_GPG = {
    "BADSIG": ("does not fit the content: it was altered after it was signed", _FOLLOW),
    "ERRSIG": ("is by a key that is not allowed", "If its owner may sign, put the key into a file under keys"),
    "EXPSIG": ("is past its time", _FOLLOW),
    "EXPKEYSIG": ("is by a key that has expired", _ROTATE),
    "REVKEYSIG": ("is by a key that was revoked", _ROTATE),
}
_SSH = (
    ("parse signature", "cannot be read", _FOLLOW),
    ("incorrect signature", *_GPG["BADSIG"]),
    ("namespace does not match", "was made for another purpose", "ssh-keygen -Y sign takes -n; git says `git` itself"),
    ("not permitted for use in signature", "is by a key that the signers file allows for other purposes only", _ROTATE),
    ("key has expired", *_GPG["EXPKEYSIG"]),
    ("key is not yet valid", "is from before its key became valid", _ROTATE),
    ("No principal matched", *_GPG["ERRSIG"]),
)


def by_gpg(status: str, *, ended_well: bool, revoked: Collection[str] = ()) -> Verdict:
    """The verdict of status lines; one signature must be there, and no other. `revoked`: fingerprints."""
    lines = _STATUS.findall(status)
    said = [(name, key) for name, key in lines if name == "GOODSIG" or name in _GPG]
    if not said:
        return Verdict("cannot be read", _FOLLOW)
    if len(said) > 1:
        return Verdict("is not one but several", "Sign with one key")
    [(name, key)] = said
    if name in _GPG:
        why, hint = _GPG[name]
        return Verdict(f"{why} ({key})" if re.fullmatch(r"[0-9A-F]{16,40}", key) else why, hint)
    valid = _VALID.findall(status)
    if len(valid) != 1 or not ended_well:
        return Verdict("is not valid", _FOLLOW)
    [by] = valid
    return Verdict(*_GPG["REVKEYSIG"]) if any(one in revoked for one in by) else GOOD


def by_ssh(text: str, *, ended_well: bool, revocations: bool) -> Verdict:
    """`revocations`: there is a list of revoked keys. ssh-keygen refuses what is in it without a word of its own."""
    if ended_well:
        return GOOD
    key = _FINGERPRINT.search(text)
    for words, why, hint in _SSH:
        if words in text:
            return Verdict(f"{why} ({key[1]})" if key else why, hint)
    if revocations and text.strip().endswith("Could not verify signature."):
        return Verdict(*_GPG["REVKEYSIG"])
    return Verdict("does not verify", _FOLLOW)
