"""Secrets do not show: not by name, not by shape, not by value; and what is no secret stays readable."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from controller.api.secrecy import names_secret
from controller.telemetry.redaction import MOST, Redactor, without_shapes, without_userinfo

PLANTED = "s3cr3t/Value+1"


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "password",
        "Authorization",
        "http_passwd",
        "api_key",
        "apiKey",
        "X-Api-Key",
        "apikey",
        "shared_key",
        "Shared_Key",
        "aws_secret_access_key",
        "SecretAccessKey",
        "sessionToken",
        "SecretString",
        "splunk_token",
        "license_key",
        "client.secret",
        "basic_auth",
        "credentials",
    ],
)
def test_names_of_secrets_are_known_in_every_spelling(name: str) -> None:
    assert names_secret(name)
    assert Redactor().plain({name: PLANTED}) == {name: "***"}


@pytest.mark.parametrize(
    "name", ["key", "secretArn", "token_file", "access_key_id", "route", "tokenSecretArn", "passwordless", "author"]
)
def test_names_that_only_speak_of_secrets_stay(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cloning https://user:pa@ss@host/org/repo.git", "cloning https://host/org/repo.git"),
        ("git+ssh://git@host/x and s3://bucket/x", "git+ssh://host/x and s3://bucket/x"),
        ("git@github.com:org/repo", "git@github.com:org/repo"),
        ("mail me@example.com or see https://example.com/@me", "mail me@example.com or see https://example.com/@me"),
    ],
)
def test_urls_lose_their_userinfo_and_nothing_else(text: str, shown: str) -> None:
    assert without_userinfo(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("sent bearer abcdefghijklmnop1234 along", "sent bearer *** along"),
        ("GET /x?token=abc&page=2", "GET /x?token=***&page=2"),
        ("""{"password": "a b", "user": "u"}""", """{"password": ***, "user": "u"}"""),
        ("{'shared_key': 'abc', 'port': 1}", "{'shared_key': ***, 'port': 1}"),
        ("https://b.s3.amazonaws.com/k?X-Amz-Signature=0f0f", "https://b.s3.amazonaws.com/k?X-Amz-Signature=***"),
        ("{'X-Amz-Security-Token': b'abc/def=='}", "{'X-Amz-Security-Token': ***}"),
        (r"{\"token\": \"abc\", \"n\": 1}", r"{\"token\": ***, \"n\": 1}"),
        ("the token has expired", "the token has expired"),
        ("basic auth is off", "basic auth is off"),
        ("tokens: ***", "tokens: ***"),
    ],
)
def test_what_is_shaped_like_a_secret_is_masked(text: str, shown: str) -> None:
    assert without_shapes(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        f"fatal: could not use {PLANTED} here",
        "GET /?q=s3cr3t%2FValue%2B1",
        "GET /?q=s3cr3t/Value%2B1",
        f"{{'deep': ['{PLANTED}']}}",
    ],
)
def test_a_registered_value_is_masked_wherever_it_turns_up(text: str) -> None:
    assert PLANTED not in Redactor([PLANTED]).text(text)
    assert "***" in Redactor([PLANTED]).text(text)


def test_a_registered_value_is_masked_in_its_json_form() -> None:
    assert Redactor(['say "x"\n']).text(r'{"said": "say \"x\""}') == '{"said": "***"}'


def test_a_registered_key_file_is_masked_line_by_line() -> None:
    pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nAQEFAASCBKcwggSjAgEAAo\n-----END KEY-----\n"
    shown = Redactor([pem]).text("line 2: AQEFAASCBKcwggSjAgEAAo, of -----BEGIN KEY-----")
    assert shown == "line 2: ***, of -----BEGIN KEY-----"


def test_of_two_secrets_that_begin_alike_both_are_masked_whole() -> None:
    assert Redactor(["abcdef", "abcdefghi"]).text("abcdefghi abcdef") == "*** ***"


def test_values_too_short_to_be_secrets_are_not_masked() -> None:
    redactor = Redactor(["abc", " ", ""])
    assert redactor.text("abc b c") == "abc b c"


def test_a_value_of_any_kind_becomes_plain_json() -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError

    plain = Redactor([PLANTED]).plain(
        {"n": 1, "f": float("nan"), "b": True, "none": None, "t": (1, PLANTED), 5: {"token": 9}, "odd": Odd()}
    )
    assert plain == {
        "n": 1,
        "f": "nan",
        "b": True,
        "none": None,
        "t": [1, "***"],
        "5": {"token": "***"},
        "odd": "<Odd: RuntimeError>",
    }


def test_a_secret_is_masked_however_deep_it_lies_even_in_a_circle() -> None:
    deep: dict[str, object] = {"password": PLANTED}
    for _ in range(20):
        deep = {"inner": [deep]}
    circle: list[object] = [deep]
    circle.append(circle)
    assert PLANTED not in str(Redactor().plain(circle))


def test_hostile_text_is_searched_in_linear_time() -> None:
    def cost(text: str) -> float:
        before = time.process_time()
        without_shapes(text)
        return time.process_time() - before

    for piece in ("a.", 'token="', "a://", "basic  ", "token= "):
        assert cost(piece * 40_000) < 40 * cost(piece * 4_000) + 0.1


@given(st.binary(max_size=20), st.text(st.characters(codec="utf-8"), min_size=8, max_size=60), st.binary(max_size=20))
def test_a_value_is_masked_in_base64_wherever_it_stands(before: bytes, value: str, after: bytes) -> None:
    assume(len(value.strip()) >= 8)
    secret = value.strip()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret.encode() + after).decode()
        masked = Redactor([secret]).values(f"Basic {text}")
        assert "***" in masked
        left = "".join(part for part in masked.split("***"))
        assert len(left) <= len("Basic ") + (len(before) + len(after) + 6) * 4 // 3 + 4


@given(st.text(min_size=4, max_size=30), st.text(max_size=50), st.text(max_size=50))
def test_a_value_is_masked_between_any_texts(value: str, before: str, after: str) -> None:
    assume(len(value.strip()) >= 4)
    assert value.strip() not in Redactor([value]).values(before + value + after).replace("***", "")


def test_only_the_latest_values_are_kept_and_they_are_many() -> None:
    redactor = Redactor(f"secret-value-{number}" for number in range(MOST + 10))
    assert redactor.values("secret-value-0 secret-value-20") == "secret-value-0 ***"


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:dd-Ab12Cd",
        '{"Action":["secretsmanager:GetSecretValue"],"Resource":"arn:aws:secretsmanager:x:1:secret:dd-??????"}',
    ],
)
def test_the_name_of_a_secret_is_none(text: str) -> None:
    assert without_shapes(text) == text


def test_json_stays_json_and_its_keys_decide_nothing_where_people_chose_them() -> None:
    redactor = Redactor(["pl4nted"])
    plain = {"web/api-token": [{"message": "it said pl4nted, password=x"}], "n": 1, "list": [None, True]}
    assert redactor.leaves(plain) == {
        "web/api-token": [{"message": "it said ***, password=***"}],
        "n": 1,
        "list": [None, True],
    }
    assert redactor.values('{"password": "pl4nted"}') == '{"password": "***"}'


@pytest.mark.parametrize(
    "part",
    ["secret:", "https://", "token=", "a", "bearer ", ":secret:secret:", "https://a:b", "password ", '"', "x-amz-"],
)
def test_hostile_text_takes_no_longer_than_its_length(part: str) -> None:
    redactor = Redactor(f"value-number-{number}" for number in range(50))

    def seconds(size: int) -> float:
        text = (part * size)[:size]
        begun = time.thread_time()
        redactor.text(text)
        return time.thread_time() - begun

    assert seconds(1024 * 1024) < 40 * max(seconds(64 * 1024), 0.005)
