"""How Fluent Bit splits a value into words: three ways, which differ in quotes. None where it fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def plain(text: str, most: int) -> list[str]:
    """flb_utils_split: spaces alone count; after `most` words the rest is one more."""
    words: list[str] = []
    while text and len(words) < most:
        word, _, text = text.lstrip(" ").partition(" ")
        words.append(word)
    return [*words, text] if text else words


def quoted(text: str, most: int) -> list[str] | None:
    """flb_utils_split_quoted: a word may stand in double or single quotes, with backslashes before quotes in it.

    None where a quote is not closed: the engine then crashes (filter_modify asks the list for its size).
    """
    words: list[str] = []
    while text and len(words) < most:
        text = text.lstrip(" ")
        if text[:1] in ("'", '"'):
            end = _closing(text)
            if end is None:
                return None
            words.append(_unescaped(text[1:end], text[0]))
            text = text[end + 1 :]
        else:
            word, _, text = text.partition(" ")
            words.append(word)
    return [*words, text] if text else words


def _closing(text: str) -> int | None:
    position = 1
    while position < len(text):
        if text[position] == text[0]:
            return position
        escapes = text[position] == "\\" and text[position + 1 : position + 2] in (text[0], "\\")
        position += 2 if escapes else 1
    return None


def _unescaped(text: str, quote: str) -> str:
    return text.replace("\\\\", "\0").replace(f"\\{quote}", quote).replace("\0", "\\")


def tokens(text: str, most: int) -> list[str] | None:
    """flb_slist_split_tokens, of the types slist_N: a word may stand in double quotes.

    None where a quote is not closed: the engine then takes all that follows for one word.
    """
    found, rest = [], text.lstrip(" ")
    for word, after in _tokens(rest):
        if word is None:
            return None
        found.append(word)
        rest = after
        if len(found) >= most > 0:
            break
    return [*found, rest] if rest and 0 < most <= len(found) else found


def joined(words: Iterable[str]) -> str:
    """The text that `tokens` splits into these words, none of which ends in a backslash."""
    return " ".join(_quoted(word) if " " in word or word[:1] in ("", '"') else word for word in words)


def _quoted(word: str) -> str:
    escaped = word.replace('"', r"\"")
    return f'"{escaped}"'


def _tokens(text: str) -> Iterator[tuple[str | None, str]]:
    """Each word and what follows it."""
    while text:
        if text[0] == '"':
            end = text.find('"', 1)
            while end > 0 and text[end - 1] == "\\":
                end = text.find('"', end + 1)
            word, text = (None, "") if end < 0 else (text[1:end].replace('\\"', '"'), text[end + 1 :].lstrip(" "))
        else:
            word, _, text = text.partition(" ")
            text = text.lstrip(" ")
        yield word, text
