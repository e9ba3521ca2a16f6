"""Secrets are named in settings, read where they are kept, and shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from controller.aws.ports import AccessDenied
from controller.secret_reader import KEPT_SECONDS, SecretError, SecretReader, SecretRef

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:logroute/slack-AbCdEf"


class Store:
    def __init__(self) -> None:
        self.asked, self.text = 0, "hunter2hunter2"

    def get(self, arn: str) -> str:
        self.asked += 1
        if not self.text:
            raise AccessDenied("secretsmanager:GetSecretValue", arn, "AccessDenied", "no")
        return self.text


def test_each_kind_is_read_where_it_is_kept_and_is_hidden_from_then_on(tmp_path: Path) -> None:
    (file := tmp_path / "secret").write_text("from a file\n")
    hidden: list[str] = []
    reader = SecretReader(Store(), lambda: 0.0, {"TOKEN": "from the environment"}, hidden.append)
    assert reader.all(["env:TOKEN", f"file:{file}", ARN]) == ["from the environment", "from a file", "hunter2hunter2"]
    assert hidden == ["from the environment", "from a file", "hunter2hunter2"]


def test_a_file_is_read_anew_each_time_and_secrets_manager_after_a_while(tmp_path: Path) -> None:
    store, now = Store(), [0.0]
    reader = SecretReader(store, lambda: now[0], {})
    (file := tmp_path / "secret").write_text("one")
    assert reader.read(f"file:{file}") == "one"
    file.write_text("two")
    assert reader.read(f"file:{file}") == "two"
    assert [reader.read(ARN), reader.read(ARN), store.asked] == ["hunter2hunter2", "hunter2hunter2", 1]
    now[0] = KEPT_SECONDS
    assert [reader.read(ARN), store.asked] == ["hunter2hunter2", 2]


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("env:NOBODY", "there is no variable NOBODY"),
        ("env:EMPTY", "is empty"),
        ("file:/nowhere/secret", "No such file"),
        ("file:/", "directory"),
    ],
)
def test_what_cannot_be_read_says_where_it_was_looked_for(reference: str, words: str) -> None:
    with pytest.raises(SecretError, match=words):
        SecretReader(None, lambda: 0.0, {"EMPTY": " "}).read(reference)


def test_a_secret_that_aws_denies_is_told_with_what_to_do() -> None:
    store = Store()
    store.text = ""
    with pytest.raises(SecretError, match="GetSecretValue"):
        SecretReader(store, lambda: 0.0, {}).read(ARN)
    with pytest.raises(SecretError, match="no access"):
        SecretReader(None, lambda: 0.0, {}).read(ARN)


@pytest.mark.parametrize(
    "given", ["hunter2hunter2", "env:", "env:A B", "file:relative", "file:/a\nb", "arn:aws:s3:::b", "ENV:A", ""]
)
def test_the_secret_itself_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(SecretRef).validate_python(given)
    (error,) = caught.value.errors(include_input=False, include_url=False)
    assert "say where the secret is" in error["msg"]
    assert "hunter2" not in error["msg"]
