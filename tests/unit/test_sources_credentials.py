"""Tokens and keys: where they may come from, and that none of it shows."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from controller.aws.ports import AccessDenied
from controller.sources import GitOptions, Reason, Secret, SourceError
from controller.sources.credentials import Token, ssh_command

NOWHERE: dict[str, str] = {}


def line_of(options: GitOptions) -> str | None:
    header = Token(options, None).header()
    return header.line.reveal() if header else None


def error_of(options: GitOptions) -> SourceError:
    with pytest.raises(SourceError) as caught:
        Token(options, None).header()
    assert caught.value.reason is Reason.CREDENTIALS
    return caught.value


def test_no_secret_shows_itself() -> None:
    options = GitOptions(token=Secret("hunter2"), environment={"LOGROUTE_GIT_TOKEN": "hunter3"})
    header = Token(options, None).header()
    for shown in (
        repr(options),
        str(options),
        f"{options.token}",
        repr(header),
        str(asdict(options)["token"]),
    ):
        assert "hunter" not in shown


def test_the_nearest_token_counts(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(" from-file \n")
    variable = {"LOGROUTE_GIT_TOKEN": "from-variable"}
    both = GitOptions(token_file=file, environment=variable)
    assert line_of(both) == line_of(GitOptions(token=Secret("from-file"), environment=NOWHERE))
    assert line_of(GitOptions(environment=variable)) == line_of(GitOptions(token=Secret("from-variable")))
    assert line_of(GitOptions(environment=NOWHERE)) is None


def test_a_token_is_the_password_of_basic_authentication() -> None:
    assert line_of(GitOptions(token=Secret("t"))) == "Authorization: Basic eC1hY2Nlc3MtdG9rZW46dA=="


@pytest.mark.parametrize("text", ["", "  ", "a\nInjected: header", "a\r\nb", "user:", ":x", "{", "{}", '{"a":1}'])
def test_a_token_that_cannot_be_one_is_refused_without_showing_it(text: str) -> None:
    error = error_of(GitOptions(token=Secret(text)))
    assert "Injected" not in str(error)
    assert error.hint


def test_a_token_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "none") in str(error_of(GitOptions(token_file=tmp_path / "none")))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    error_of(GitOptions(token_file=tmp_path / "bytes"))


class Closed:
    """A Secrets Manager that says no."""

    def get(self, arn: str) -> str:
        raise AccessDenied("secretsmanager:GetSecretValue", arn, "AccessDeniedException", "no")


def test_a_stored_secret_that_cannot_be_read_says_what_is_missing() -> None:
    options = GitOptions(token_secret_arn="arn:x")
    error_of(options)
    with pytest.raises(SourceError, match="secretsmanager:GetSecretValue") as caught:
        Token(options, Closed()).header()
    assert caught.value.reason is Reason.CREDENTIALS


def test_ssh_never_asks_never_forwards_and_never_trusts_at_first_sight() -> None:
    command = ssh_command(GitOptions())
    for option in ("StrictHostKeyChecking=yes", "BatchMode=yes", "ForwardAgent=no", "-F /dev/null"):
        assert option in command


@pytest.mark.parametrize("name", ['a"b', "a\nb", "a\\b", "${HOME}"])
def test_a_key_path_that_ssh_would_interpret_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.touch()
    with pytest.raises(SourceError) as caught:
        ssh_command(GitOptions(ssh_key_file=file))
    assert caught.value.reason is Reason.CREDENTIALS
