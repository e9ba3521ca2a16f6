"""Whatever text comes as `--source`: a spec that prints back to itself, or a SourceError, and no secret."""

from __future__ import annotations

import re
import shlex
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from controller.sources import GitOptions, GitSpec, SourceError, SourceSpec, parse_source
from controller.sources.credentials import ssh_command

PIECES = st.sampled_from(
    [
        *("git+https://", "git+ssh://", "git+file://", "s3://", "ext::", "https://", "://", "git@", "host"),
        *(
            "@",
            ":",
            "/",
            "//",
            "#",
            "#path=",
            "?",
            "..",
            "-",
            "%40",
            "%0a",
            "%",
            "main",
            "a.lock",
            "22",
            "[::1]",
        ),
        *(" ", "\n", "\\", "~", "\ud800", "é", "\u202e"),
    ]
)
TEXTS = st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=4))).map("".join))
SECRETS = st.from_regex(r"[A-Za-z0-9_/!?#%-]{0,6}S3cr3t[A-Za-z0-9_/!?#%-]{0,6}", fullmatch=True).filter(
    lambda secret: not re.match(r"[0-9]+/", secret)  # that is a port and a path
)


def parsed(text: str) -> SourceSpec | SourceError:
    try:
        return parse_source(text)
    except SourceError as error:
        return error


@given(TEXTS)
def test_any_text_is_a_source_that_prints_back_or_an_error(text: str) -> None:
    found = parsed(text)
    if isinstance(found, SourceError):
        assert found.message
        assert found.hint
    else:
        assert parse_source(str(found)) == found


@given(st.sampled_from(["https", "ssh", "http", "file"]), st.text("abc:", max_size=4), SECRETS)
def test_a_refused_password_is_in_no_message(scheme: str, user: str, secret: str) -> None:
    for text in (f"git+{scheme}://{user}:{secret}@host/r.git", f"{scheme}://{user}:{secret}@host/r.git@main"):
        found = parsed(text)
        assert isinstance(found, SourceError)
        assert "S3cr3t" not in f"{found} {found!r}"


@given(TEXTS)
def test_what_git_is_given_cannot_be_an_option_or_a_helper(text: str) -> None:
    found = parsed(text)
    if isinstance(found, GitSpec):
        assert found.url.startswith(("https://", "ssh://", "file:///"))
        ref = found.ref or ""
        assert not ref.startswith(("-", "/"))
        assert not any(letter in ref for letter in ":*?[ \n\0")


@given(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=40))
def test_a_key_path_is_one_quoted_word_of_the_ssh_command(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        if name not in (".", ".."):
            file.touch()
        try:
            words = shlex.split(ssh_command(GitOptions(known_hosts_file=file)))
        except SourceError:
            return
        (value,) = (word for word in words if word.startswith("UserKnownHostsFile="))
        assert value.partition("=")[2].strip('"').replace("%%", "%") == str(file)
        assert words[-2:] == ["-o", "GlobalKnownHostsFile=/dev/null"]
