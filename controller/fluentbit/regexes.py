"""Whether Fluent Bit can compile a regex: one that it cannot stops the router (flb_regex.c).

The engine has Onigmo with Ruby's syntax. Here its ancestor Oniguruma compiles, once `regex_dialect` has put the
regex into what both read alike. Held against Onigmo itself in tests/engine/test_regexes.py.
"""

from __future__ import annotations

import re
from functools import lru_cache

from controller.fluentbit.findings import Finding, error
from controller.fluentbit.variables import as_words
from controller.fluentbit.words import clipped, shown

MAX_REGEX = 16_000
"""Bytes. Compiling costs time and memory in step with the length, however counts nest."""
_PLAIN = re.compile(r"\^?[A-Za-z0-9 _:=,;@!%&~<>'\"-]{1,200}\$?")
"""Text that means itself: nothing to compile."""
_OPTIONS = re.compile(r"[miox]*[mix][miox]*")
_PRINTABLE = re.compile(r"[^ -~]+")


def check_regex(what: str, text: str, engine: str) -> list[Finding]:
    """`what` is the option or word that holds it."""
    if _PLAIN.fullmatch(text):
        return []
    reason = regex_error(as_words(text), engine)
    if not reason and "${" in text:
        reason = regex_error(as_words(text, ""), engine)  # a variable may be empty: then \\${X} ends in a backslash
    if not reason:
        return []
    return [
        error(
            (),
            "INVALID_REGEX",
            f"{what}: Fluent Bit cannot compile {shown(text)}: {reason}",
            "regexes are Ruby's: (?<name>…) names a group, \\ goes before a bracket that is meant as text",
        )
    ]


@lru_cache(maxsize=1 << 14)
def regex_error(text: str, engine: str) -> str | None:
    """What is wrong with a regex as it stands in an option, with or without `/…/`; None where it compiles."""
    if len(text.encode()) > MAX_REGEX:
        return f"it is longer than {MAX_REGEX:,} bytes"
    if text == "/" and engine == "1.9.10":
        return "a single / is no regex to Fluent Bit 1.9.10"
    return _compiled(*undelimited(text, engine))


def undelimited(text: str, engine: str) -> tuple[str, str]:
    """The regex and its options: `/a/i` is `a` with `i` (check_option in flb_regex.c; 1.9.10 reads `/…/` alone).

    Letters that are no options, and options without effect, leave the text as it is, slashes and all.
    """
    if not text.startswith("/") or (last := text.rindex("/")) == 0:
        return text, ""
    options = text[last + 1 :]
    if options and (engine == "1.9.10" or not _OPTIONS.fullmatch(options)):
        return text, ""
    return text[1:last], options.replace("o", "")


def _compiled(text: str, options: str) -> str | None:
    """The library is loaded on first use: most commands start without it."""
    from onigurumacffi import OnigError, compile  # noqa: A004 - its name there

    from controller.fluentbit.regex_dialect import dialect

    common, trouble = dialect(text, options)
    if trouble:
        return trouble
    try:
        compile(common)
    except OnigError as wrong:
        return clipped(_PRINTABLE.sub("?", str(wrong)))
    except UnicodeDecodeError:  # of its message: it cuts the name of a group within a letter
        return "it names a group that there is not, or names one badly"
    return None
