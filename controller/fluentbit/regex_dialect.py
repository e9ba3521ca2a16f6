"""Onigmo's Ruby syntax in terms of Oniguruma's: what the two read differently is replaced here, or refused.

Only whether a regex compiles is kept, not what it matches: anchors and look-arounds become plain groups.
The rules of look-behinds are those of setup_look_behind and check_type_tree in Onigmo's regcomp.c.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

_PIECE = re.compile(
    r"""
      (?P<escape> \\ (?: x\{[0-9a-fA-F]+\} | x[0-9a-fA-F]{0,2} | [0-7]{1,3} | [pP]\{(?:[^(){|}]*[(){|}])?
                       | (?:(?:c|C-|M-)\\?)+. | [kg]<[^>]*>? | [kg]'[^']*'? | . | $ ) )
    | (?P<comment> \(\?\# (?: \\. | [^\\)] )* \)? )
    | (?P<open> \( (?: \? (?: <[=!] | <[^>]*>? | '[^']*'? | [:=!>~] | \((?:<[^>]*>|'[^']*'|[^)]*)\)
                       | [A-Za-z]*(?:-[A-Za-z]*)?[:)] | . | $ ) | \* )? )
    | (?P<close> \) )
    | (?P<repeat> [*+?] | \{[0-9]+(?:,[0-9]*)?\} | \{,[0-9]+\} )
    | (?P<posix> \[:\^?[a-z]*:\] )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_FLAGS = re.compile(r"\(\?(?!\))([imxadu]*)(?:-([imx]*))?([:)])")
_ANCHORS = frozenset("AzZbBGK")
_NOT_BEHIND = frozenset("zZ123456789")
_OCTAL = frozenset("01234567")
_LETTERS = frozenset("yY")
"""Text boundaries to Oniguruma, letters to Onigmo."""
_BEHINDS = frozenset({"(?<=", "(?<!"})
_LOOKS = frozenset({"(?=", "(?!", "(?<=", "(?<!"})
_CASED = re.compile(
    r"\[:(?:alnum|alpha|lower|upper|word|graph|print):\]|\\[pP]\{(?:L[&ltu]?|letter|alpha|alnum|lower|upper|word)\}",
    re.IGNORECASE,
)
"""Under the option i, one of these may stand for several characters."""
_BEHIND = "its look-behind (?<=…) or (?<!…) "
_LAST_CHARACTER, _FIRST_LONE_BYTE, _BYTES = 0x10FFFF, 0x80, 0x100
_NEWER_PROPERTIES = re.compile(
    "gara|garay|gukh|gurungkhema|idcompatmathcontinue|idcompatmathstart|idsu|idsunaryoperator|"
    "incb|incjkunifiedideographsextensioni|inegyptianhieroglyphsextendeda|ingaray|ingurungkhema|"
    "inkiratrai|inmyanmarextendedc|inolonal|insunuwar|insymbolsforlegacycomputingsupplement|"
    "intodhri|intulutigalari|kiratrai|krai|mcm|modifiercombiningmark|newline|olonal|onao|"
    "posixpunct|sunu|sunuwar|todhri|todr|tulutigalari|tutg"
)
"""What Oniguruma 6.9.10 knows and the engines' Onigmo does not."""


class _Refused(ValueError):
    """The engine stops at this."""


@dataclass(slots=True)
class _Group:
    """`length` in characters; None where it may vary. `behind`: the look-behind that this is in, or is.
    `sole`: its one item so far is a plain group of alternatives, each of a fixed length.
    """

    opened: str = ""
    behind: str = ""
    extended: bool = False
    caseless: bool = False
    length: int | None = 0
    last: int | None = 0
    items: int = 0
    sole: bool = False
    alternatives: list[int | None] = field(default_factory=list)

    def add(self, length: int | None, *, choice: bool = False) -> None:
        self.last, self.items = length, self.items + 1
        self.sole = choice and self.items == 1
        self.length = None if self.length is None or length is None else self.length + length

    def closed_in(self, outer: _Group) -> None:
        """It becomes an item of `outer`. At the top of a look-behind alternatives may differ in length."""
        lengths = {*self.alternatives, self.length}
        fixed = None not in lengths or (self.sole and not self.alternatives)
        if self.opened in _LOOKS:
            if self.opened in _BEHINDS and not fixed:
                raise _Refused(f"{_BEHIND}may match texts of several lengths")
            outer.add(0)
        else:
            outer.add(lengths.pop() if len(lengths) == 1 else None, choice=fixed and self.opened == "(?:")


def dialect(text: str, options: str = "") -> tuple[str, str | None]:
    """The regex for Oniguruma, or why the engine stops at it. `options`: i, m, x."""
    reader = _Reader(text, options)
    try:
        reader.read()
    except _Refused as refused:
        return "", str(refused)
    return "".join(reader.done), None


def _number(digits: str) -> int:
    """Its first twelve digits: Oniguruma stops at far smaller ones, and Python's int at one of 4,301."""
    return int(digits.lstrip("0")[:12] or "0")


def _hexadecimal(piece: str) -> str:
    r"""`\x` without digits is a byte 0; bytes that are no characters by themselves are let stand in regexes."""
    digits = piece[2:].strip("{}")
    if "{" in piece and int(digits, 16) > _LAST_CHARACTER:
        raise _Refused(f"there is no character {piece}")
    if not digits:
        return "z"
    return "z" if "{" not in piece and int(digits, 16) >= _FIRST_LONE_BYTE else piece


def _property(piece: str) -> str:
    r"""`\p{` that nothing closes is the text p{ to the engine."""
    if piece in ("\\p{", "\\P{"):
        return "p\\{"
    if not piece.endswith("}"):
        raise _Refused(f"it does not know the character property {piece[:-1]}")
    if _NEWER_PROPERTIES.fullmatch(re.sub(r"[ _-]", "", piece[3:-1]).lower().lstrip("^")):
        raise _Refused(f"it does not know the character property {piece}")
    return piece


class _Reader:
    def __init__(self, text: str, options: str) -> None:
        self.text, self.position = text, 0
        self.done: list[str] = ["(?x)"] if "x" in options else []
        self.groups = [_Group(extended="x" in options, caseless="i" in options)]
        self.captures = 0
        self.named = "(?<" in text.replace("(?<=", "").replace("(?<!", "") or "(?'" in text

    def read(self) -> None:
        while match := _PIECE.match(self.text, self.position):
            piece, kind = match[0], match.lastgroup or ""
            self.position = match.end()
            if piece == "#" and self.groups[-1].extended:
                return  # a comment to the end of the line, and there is one line
            self._READ[kind](self, piece)

    def _escape(self, piece: str) -> None:
        group, name = self.groups[-1], piece[1:2]
        self.done.append("(?:)" if name in _ANCHORS else self._plain(piece))
        if group.behind and (name in _NOT_BEHIND or name == "k"):
            raise _Refused(f"{_BEHIND}holds {piece}")
        if piece.startswith("\\g<-") and piece[4:-1].isdigit() and _number(piece[4:-1]) > self.captures:
            raise _Refused(f"{piece} calls a group that there is not")
        if name in _ANCHORS:
            group.add(0)
        else:
            self._add_one(piece, fixed=name not in "RX")

    def _add_one(self, text: str, *, fixed: bool = True) -> None:
        """An item of one character, but for case: then it may stand alone in a look-behind."""
        group = self.groups[-1]
        several = group.caseless and _CASED.search(text) is not None
        group.add(1 if fixed and not several else None, choice=several)

    def _plain(self, piece: str) -> str:
        """An escape, within a class or not."""
        name = piece[1:2]
        if name == "x":
            return _hexadecimal(piece)
        if name in _OCTAL and (number := int(piece[1:], 8)) >= _FIRST_LONE_BYTE:
            if number >= _BYTES:
                raise _Refused(f"{piece} is too big a number")
            return "z"
        if piece.startswith(("\\p{", "\\P{")):
            return _property(piece)
        return name if name in _LETTERS else piece

    def _comment(self, piece: str) -> None:
        self.done.append(piece)

    def _open(self, piece: str) -> None:
        outer = self.groups[-1]
        if piece == "(*":
            raise _Refused("target of repeat operator is not specified: write \\( for a bracket")
        behind = piece if piece in _BEHINDS and outer.behind != "(?<!" else outer.behind
        group = _Group(piece, behind, outer.extended, outer.caseless)
        if flags := _FLAGS.fullmatch(piece):
            if self._flags(flags, outer, group):
                return
        elif piece in _LOOKS:
            if outer.behind and piece not in _BEHINDS:
                raise _Refused(f"{_BEHIND}holds a look-ahead")
            self.done.append("(?:")
        else:
            self._capture(piece, outer)
            self.done.append(piece)
        self.groups.append(group)

    def _flags(self, flags: re.Match[str], outer: _Group, group: _Group) -> bool:
        """Of `(?i-m:` for the group, or of `(?i)` for what is left of the outer one: then True."""
        on, off, end = flags[1], flags[2] or "", flags[3]
        kept = "".join(flag for flag in on if flag in "imx")
        self.done.append(f"(?{kept}-{off}{end}" if kept or off or end == ")" else "(?:")
        group.extended = "x" not in off and (outer.extended or "x" in on)
        group.caseless = "i" not in off and (outer.caseless or "i" in on)
        if end == ":":
            return False
        outer.extended, outer.caseless = group.extended, group.caseless
        outer.add(0)
        return True

    def _capture(self, piece: str, outer: _Group) -> None:
        named = piece.startswith(("(?<", "(?'"))
        plain = piece == "("
        if not (named or plain or piece in ("(?>", "(?~") or piece.startswith("(?(")):
            raise _Refused("undefined group option")
        captures = named or (plain and not self.named)
        self.captures += captures
        if outer.behind and not (named or plain):
            raise _Refused(f"{_BEHIND}holds a group {piece}…)")
        if outer.behind == "(?<!" and captures:
            raise _Refused("its look-behind (?<!…) holds a group that captures: write (?:…)")

    def _close(self, piece: str) -> None:
        self.done.append(piece)
        if len(self.groups) > 1:
            self.groups.pop().closed_in(self.groups[-1])

    def _repeat(self, piece: str) -> None:
        group = self.groups[-1]
        low, _, high = piece.strip("{}").partition(",")
        if low.isdigit() and high.isdigit() and _number(low) > _number(high):
            raise _Refused(f"in the repeat {piece} the upper number is smaller than the lower")
        self.done.append(piece)
        group.sole = False
        if not re.fullmatch(r"\{([0-9]+)(,\1)?\}", piece):
            group.length = None
        elif group.length is not None and group.last is not None:
            group.length += group.last * (_number(piece.strip("{}").split(",")[0]) - 1)

    def _other(self, piece: str) -> None:
        group = self.groups[-1]
        if piece == "[":
            start = self.position
            self._class()
            self._add_one(self.text[start : self.position])
        elif piece == "|":
            self.done.append(piece)
            group.alternatives.append(group.length)
            group.length = group.last = 0
        elif piece in "^$":
            self.done.append("(?:)")
            group.add(0)
        else:
            self.done.append(piece)
            group.add(0 if group.extended and piece == " " else 1)

    def _class(self) -> None:
        """From after its `[` to its `]`; classes nest, and a first `]` is text where another follows."""
        self.done.append("[")
        depth, first = 1, True
        while depth and (match := _PIECE.match(self.text, self.position)):
            whole = match.lastgroup in ("escape", "posix")
            piece = match[0] if whole else match[0][0]
            self.position += len(piece)
            self.done.append(self._plain(piece) if match.lastgroup == "escape" else piece)
            if piece == "]" and not (first and "]" in self.text[self.position :]):
                depth -= 1
            depth += piece == "["
            first = piece == "[" or (first and piece == "^")

    _READ: ClassVar[dict[str, Callable[[_Reader, str], None]]] = {
        "escape": _escape,
        "comment": _comment,
        "open": _open,
        "close": _close,
        "repeat": _repeat,
        "posix": _other,
        "other": _other,
    }
