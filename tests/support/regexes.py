"""Regexes that every engine compiles, and regexes at which every engine stops. tests/engine/test_regexes.py holds
both lists against the engines; where Oniguruma reads one otherwise, a comment says how.
"""

from __future__ import annotations

ACCEPTED = (
    "a",
    "^(?<remote>[^ ]*) (?<rest>.*)$",
    r"^(?<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?)\s+(?<level>[A-Z]+)\s+(?<message>.*)$",
    r"(?i)error|warn(?:ing)?",
    r"[[:alpha:]_][\w.-]*",
    r"\p{L}+\p{^Lu}\h\H\R\X",
    "^*",  # Oniguruma: target of repeat operator is invalid
    r"\b?x",  # the same
    "(?=a)*b",  # the same
    "(?a)x(?u:y)(?d)",  # Oniguruma: undefined group option
    r"\xff",  # Oniguruma: invalid code point value
    r"\x{b",  # the same
    r"\p{",  # Oniguruma: end pattern with unmatched parenthesis
    r"\y+",  # a text boundary there, a letter here
    r"(?<=(?<!/))a",  # Oniguruma: invalid pattern in look-behind
    "(?<=a|bc)d",
    "(?<=(?:a|bc))d",
    r"(?<![a-z]{3})x",
    "(?i)(?<![[:alpha:]])x",
    "(?~ab)c",
    "(?<n>a)\\k<n>\\g<n>",
    "a{,3}b{2,}c{2}+d++e*?",
    "{",
    "x{y}",
    "a{1,2",
    "[a&&[^b]]",
    "[]a]",
    "[^]a]",
    "é日\U0001f600",
    "/quoted/",
    "a#b;c=d",
)
REFUSED = (
    "(",
    "a(b",
    ")",
    "[",
    "[a",
    "[]",
    "[z-a]",
    "*",
    "a|*",
    "?",
    "a\\",
    "(?P<name>a)",
    "(?<>a)",
    "(?<1a>b)",
    "(?<n>a)\\k<m>",
    "\\g<m>",
    "(?<n>a)\\1",
    "a{100001}",
    r"\p{Foo}",
    r"\p{Garay}",  # newer than the engines' Unicode
    "(?<=a+)b",  # Oniguruma allows any length
    "(?<!a|b+)c",
    "(?<=x(?:a|bc))d",
    "(?<!(a))b",
    "(?<=(?=a)b)c",
    r"(?<=a\z)b",
    r"(a)(?<=\1)b",
    "(?i)(?<=x[[:alpha:]])y",
    "(*FAIL)",  # Oniguruma: a callout
    "(?{x})",
    "(?y{g})",
    "(?C)",
    "(?s)a",
    "(?)",
    "(?W:a)",
    r"\400",  # Oniguruma: the character U+0100
    r"\x{110000}",
    "a{3,2}",  # Oniguruma: a possessive repeat
    r"\g<-1>",
    r"\u00",
    r"\c",
)
