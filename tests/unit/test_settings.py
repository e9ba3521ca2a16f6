"""Settings from a file and the environment; mistakes are told by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.settings import SettingsError, load


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "SOURCE",
        "CONFIG_STORE",
        "OWNER",
        "REGION",
        "ACCOUNTS",
        "POLL",
        "GUARDS",
        "GARBAGE",
        "FLUENT_BIT",
        "GIT_TOKEN",
        "GIT_TOKEN_FILE",
    ):
        monkeypatch.delenv(f"LOGROUTE_{name}", raising=False)


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.yaml"
    path.write_text(text)
    return path


def test_the_defaults_are_those_of_the_documentation() -> None:
    found = load()
    assert (found.owner, found.listen, found.poll, found.resync) == ("logroute", "0.0.0.0:9090", 30, 300)
    assert (found.guards.max_share, found.guards.max_count, found.guards.first_run, found.guards.self_) == (
        "20%",
        3,
        "apply",
        "refuse",
    )
    assert found.limits.share == 0.5


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "source: /specs\nconfigStore: s3://bucket-a/p\npoll: 10s\nguards: {maxCount: 5}\n")
    monkeypatch.setenv("LOGROUTE_POLL", "1m")
    monkeypatch.setenv("LOGROUTE_GUARDS", '{"maxShare": "50%"}')
    found = load(path)
    assert (found.source, found.poll, found.guards.max_share) == ("/specs", 60, "50%")


def test_the_command_line_wins_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGROUTE_SOURCE", "/theirs")
    assert load(source="/mine").source == "/mine"


def test_engines_are_named_by_version_whatever_yaml_takes_it_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, "fluentBit: {5.1: /opt/a, 5.0.9: /opt/b, '1.9.10': /opt/c}\n")
    assert load(path).fluent_bit == {"5.1": Path("/opt/a"), "5.0.9": Path("/opt/b"), "1.9.10": Path("/opt/c")}
    monkeypatch.setenv("LOGROUTE_FLUENT_BIT", '{"5.1": "/opt/d"}')
    assert load(path).fluent_bit["5.1"] == Path("/opt/d")


def test_off_is_a_word_whatever_yaml_takes_it_for(tmp_path: Path) -> None:
    found = load(written(tmp_path, "garbage: {configs: off, revisions: 'off', graceDays: 7}\n")).garbage
    assert (found.configs, found.revisions, found.grace_days) == ("off", "off", 7)


def test_git_credentials_are_variables_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGROUTE_GIT_TOKEN_FILE", "/run/token")
    monkeypatch.setenv("LOGROUTE_GIT_TOKEN", "S3cr3t")
    found = load()
    assert found.git.token_file == Path("/run/token")
    assert "S3cr3t" not in repr(found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sauce: x\n", "unknown setting 'sauce'"),
        ("- a\n", "must be a mapping"),
        ("a: [\n", "is not YAML"),
        ("poll: soon\n", "poll: a duration is written like 30s"),
        ("poll: 0s\n", "poll:"),
        ("resync: -3\n", "resync:"),
        ("limits: {share: 0%}\n", "limits.share"),
        ("configStore: http://x\n", "config_store"),
        ("accounts: {}\n", "accounts"),
        ("garbage: {configs: keep}", "garbage.configs"),
        ("guards: {maxCunt: 1}\n", "guards.maxCunt"),
        ("fluentBit: {newest: /opt/a}\n", "fluent_bit.newest"),
    ],
)
def test_a_mistake_in_the_file_is_told_by_name(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(written(tmp_path, text))
    assert says in str(error.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load(tmp_path / "none.yaml")


def test_a_variable_that_is_no_json_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGROUTE_ACCOUNTS", "{main")
    with pytest.raises(SettingsError, match="must be JSON"):
        load()
