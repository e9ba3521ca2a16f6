"""The small languages: durations, crons, regexes, tag patterns, values of options, and what engines and git say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError

from controller.api.kinds import Window
from controller.api.values import Duration, Share
from controller.checking import words
from controller.checking.presented import present
from controller.fluentbit import splitting
from controller.fluentbit.accessors import accessor_error
from controller.fluentbit.contents import readers
from controller.fluentbit.regexes import check_regex, undelimited
from controller.fluentbit.safety import value_trouble
from controller.fluentbit.tags import check_name
from controller.fluentbit.types import size_bytes
from controller.fluentbit.variables import as_words, check_variables
from controller.importing.lua import one_line
from controller.planning.windows import opens_in
from controller.sources.git_errors import explain
from controller.sources.process import _MAX_ERRORS
from controller.telemetry.redaction import Redactor
from tests.fuzz.target import Target, text

NOW = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
_WINDOW, _DURATION, _SHARE = TypeAdapter(Window), TypeAdapter(Duration), TypeAdapter(Share)
REGEX = (
    *(b"(", b")", b"(?:", b"(?<a>", b"(?=", b"(?!", b"(?<=", b"(?<!", b"(?>", b"(?i)", b"(?mix-i:", b"(?#", b"\\k<a>", b"\\g<a>"),
    *(b"|", b"*", b"+?", b"??", b"{1,2}", b"{,9}", b"{99999}", b"{1000,}", b"[", b"[^", b"]", b"[[:alpha:]]", b"&&", b"[a-z]"),
    *(b"\\x{10ffff}", b"\\x41", b"\\u0041", b"\\p{Alpha}", b"\\p{^Greek}", b"\\h", b"\\R", b"\\X", b"\\A", b"\\Q", b"\\c", b"\\M-"),
    *(b"/", b"/i", b"(a+)+$", b"(?:(?:a*)*)*", b"(?<n>(?<m>.))", b"\\1", b"\\(", b"^", b"$", b".", b"\\"),
)  # fmt: skip
LANGUAGE = (
    *(b"$a['b']", b"$TAG[0]", b"$(", b"${A}", b"${", b"}", b"[*]", b"[-1]", b"['", b"']", b'\\"', b'"', b"'", b" ", b"\t", b"*"),
    *(b"Key_value_matches ", b"rename ", b"^(a|b)$ ", b"$log ^a x.$TAG false", b"log ", b"1G", b"k", b"1e9", b"0x1"),
)  # fmt: skip
ENGINES = ("1.9.10", "5.0.9")
_READERS = tuple(
    reader
    for kind, plugin in (
        *(
            ("filters", name)
            for name in ("grep", "modify", "rewrite_tag", "record_modifier", "log_to_metrics", "nest", "lua")
        ),
        *(("parsers", name) for name in ("", "regex")),
        *(("inputs", name) for name in ("tail", "tcp", "thermal")),
        *(("outputs", name) for name in ("es", "http", "s3")),
    )
    for reader in readers(kind, plugin).items()
)


def _regex(data: bytes) -> object:
    """Of texts that UTF-8 can hold: files are read as such."""
    said = data.decode(errors="replace")
    return [
        [one.code for one in check_regex("x", said, engine)] + [*undelimited(said, engine)[1]] for engine in ENGINES
    ]


def _values(data: bytes) -> object:
    """Everything that looks into an option's value."""
    said = data.decode(errors="replace")
    found: list[object] = [value_trouble(said) is None, accessor_error(said) is None, size_bytes(said) is None]
    found += [one.code for key in ("match", "match_regex", "tag", "alias") for one in check_name(key, said)]
    found += [one.code for one in check_variables("k", said)]
    found += [one.code for key, read in _READERS for one in read(key, said, ENGINES[len(data) % 2])]
    as_words(said)
    splitting.plain(said, 3)
    found += [split(said, 3) is None for split in (splitting.quoted, splitting.tokens)]
    return found


def _window(data: bytes) -> object:
    """Lines: the cron, how long, where."""
    cron, duration, zone = [*text(data).split("\n"), "", ""][:3]
    one = _WINDOW.validate_python({"cron": cron, "duration": duration or "1h", "timeZone": zone or "UTC"})
    return opens_in([one], NOW) > 0


def _duration(data: bytes) -> object:
    return _DURATION.validate_python(text(data)) > 0


def _share(data: bytes) -> object:
    return len(_SHARE.validate_python(text(data)))


def _lua(data: bytes) -> object:
    return one_line(data)[1]


def _redaction(data: bytes) -> object:
    said = Redactor(["S3cr3tValue", "s3cr3t\nlines of\nmore than one"])
    return said.text(text(data)) == text(data), len(str(said.plain({text(data)[:99]: text(data)}))) > 0


def _git_says(data: bytes) -> object:
    """Its stderr, of which the end is kept."""
    return explain("read", "git+https://h/r", data[-_MAX_ERRORS:], ["S3cr3tValue"]).reason


_PIPELINE = b"""[SERVICE]
    Flush 1
[INPUT]
    Name tcp
    Alias in
    Port 5170
    Tag x
[OUTPUT]
    Name s3
    Alias web.httpd.archive
    Match *
    bucket ${BUCKET}
    store_dir /var/log/flb
"""
_PRESENTED = present(_PIPELINE, None, "5.0.9", iter(range(20000, 30000)).__next__)


def _engine_says(data: bytes) -> object:
    said = words.read(data, _PRESENTED, hide=("/tmp/run", "/opt/fluent-bit"))  # noqa: S108 - only words
    return len(said.words), said.sections, bool(said.missing), words.is_up(data), words.is_deadly(data)


_LOG = b"""\x1b[1mFluent Bit v5.0.9\x1b[0m
* Copyright (C) 2015-2026 The Fluent Bit Authors
[2026/11/23 10:00:00.123] [ info] [fluent bit] version=5.0.9, commit=, pid=1
[2026/11/23 10:00:00.123] [error] [output:s3:web.httpd.archive] 'store_dir' is not a number
[2026/11/23 10:00:00] [ warn] [input:tcp:tcp.0] could not bind address 0.0.0.0:20003. Aborting
[error] [config] section 'nope' tried to instance a plugin name that doesn't exist
[error] configuration file contains errors, aborting.
[2026/11/23 10:00:00] [error] [/src/flb_config.c:71 errno=2] No such file or directory: pipeline.conf:7
[2026/11/23 10:00:00] [error] Failed initialize filter grep.0
[2026/11/23 10:00:00] [error] [engine] output initialization failed
[2026/11/23 10:00:00] [ info] [sp] stream processor started
"""
_GIT = (
    b"fatal: could not read Username for 'https://h': terminal prompts disabled\n",
    b"remote: \x1b[31mERROR\nremote: packfile .git/objects/pack/x.pack does not match index\nfatal: early EOF\n",
    b'Load key "/k": bad permissions\ngit@h: Permission denied (publickey).\nfatal: Could not read from remote repository.\n',
    b"fatal: unable to access 'https://user:pw@h/r/': SSL certificate problem: self-signed certificate\n",
    b"error: RPC failed; HTTP 403 curl 22 The requested URL returned error: 403\nAuthorization: Basic Zm9v\n",
    b"error: object 12: invalid author/committer line\nfatal: fsck error in packed object\nproject x could not be found\n",
)
_LUA = (
    b'function f(tag, ts, record)\n  -- a comment\n  record["a"] = [[long]] .. "s\\"x" --[==[ c ]==]\n  return 1, ts, record\nend\n',
)


def _target(
    name: str, run: Callable[[bytes], object], corpus: tuple[bytes, ...], tokens: tuple[bytes, ...] = ()
) -> Target:
    return Target(
        name, run, (), corpus, tokens, ((b"(", b")"), (b"[", b"]"), (b"(?:", b")*"), (b"{", b"}"), (b"'", b"'"))
    )


_REGEXES = (
    b"^(?<remote>[^ ]*) (?<rest>.*)$",
    b"/^\\d+-[a-f\\h]{2,4}/i",
    b"(?i)(a|b(?=c))\\k<x>",
    b"[[:alpha:]&&[^\\]x]]+?",
    b"^a.*b$",
)
_VALUES = (b"log ^a.*b$", b"$TAG[0]-$a['b'][1]", b"app-firelens*", b"^app.*", b"250M", b"${DD_API_KEY}", b"log healthcheck", b'add "a b" c',
           b"Key_value_matches log ^x", b"$log ^(a)$ new.$1 false", b"/httpd/%Y/%m/%d/$UUID.gz", b"json log do_next", b'k "v\\"w" x')  # fmt: skip
_WINDOWS = (
    b"0 9 * * 1-5\n8h\nAsia/Tokyo",
    b"*/5 0-6/2 L * MON#2\n1h30m\nUTC",
    b"0 0 29 2 *\n90s\nEurope/Berlin",
    b"@daily\n5\n+1",
    b"0 0 LW * 5L",
)

TARGETS = (
    _target("regex", _regex, _REGEXES, REGEX),
    _target("values", _values, (*_VALUES, *_REGEXES), REGEX + LANGUAGE),
    Target("window", _window, (ValidationError,), _WINDOWS, (b"*/", b"L", b"#", b"W", b"-", b",", b"1-", b"MON", b"JAN", b"/1", b"0", b"ms", b"\n", b"Etc/")),
    Target("duration", _duration, (ValidationError,), (b"1h30m", b"15m", b"500ms", b"30", b"1d2h3m4s5ms"), (b"ms", b"s", b"m", b"h", b"d", b"1")),
    Target("share", _share, (ValidationError,), (b"10%", b"5", b"100%", b"0"), (b"%",)),
    _target("lua", _lua, _LUA, (b"--", b"--[[", b"]]", b"[==[", b"]==]", b"\\z", b"\\x", b"'", b'"', b"..", b"\r", b"=")),
    _target("redaction", _redaction, (b"token=abc password: 'x y' https://u:p@h/x Bearer abcdefghijklmnopqrst", b'{"apiKey": "S3cr3tValue"}'),
            (b"token=", b'password: "', b"secret='", b"Bearer ", b"basic ", b"://", b"@", b"https://a:", b"api_key", b"S3cr3tValue", b"_key", b"access")),
    _target("git-says", _git_says, _GIT, (b"://", b":", b"@", b"packfile ", b"ssl", b"tls", b"load key ", b"unable to load ", b"project ", b"invalid ",
            b"no ", b"repository ", b"authorization: a ", b"fatal: ", b"remote: ", b"object file ", b"gnutls", b"bytes of ")),
    _target("engine-says", _engine_says, (_LOG, *(line + b"\n" for line in _LOG.splitlines())),
            (b"[error] ", b"[input:", b"[output:s3:", b"]", b"[/", b" errno=", b"pipeline.conf:", b"section '", b"[config] ", b"\x1b[", b"Failed initialize filter ",
             b"20001", b"moved/", b"tcp.", b"999999999999999999999", b"[2026/11/23 10:00:00] [error] ", b"could not bind address")),
)  # fmt: skip
