"""Specs that nobody signed reach no service, whatever else happens; what was good before goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.settings import GitSettings, GitVerify
from tests.support.commands import commands
from tests.support.playground import CLUSTER, Playground, route_yaml
from tests.support.signing import SshKey, Work

pytestmark = [pytest.mark.needs("git"), pytest.mark.needs("ssh-keygen")]


@pytest.fixture
def key(tmp_path: Path) -> SshKey:
    return SshKey.make(tmp_path / "keys", "good")


@pytest.fixture
def work(play: Playground, key: SshKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """The playground's specs as a git repository whose head must be signed by `key`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    signers = tmp_path / "allowed_signers"
    signers.write_text(key.line())
    work = Work.create(play.specs)
    source, verify = f"git+file://{play.specs}/.git", GitVerify(keys=(signers,))
    play.settings = play.settings.model_copy(update={"source": source, "git": GitSettings(verify=verify)})
    monkeypatch.setenv("LOGROUTE_GIT_VERIFY", f'{{"keys": ["{signers}"]}}')
    play.service()
    play.start()
    return work


def told(play: Playground) -> str:
    return str(play.controller.board.plain()["sourceError"])


def test_an_unsigned_head_changes_no_service_until_a_signed_one_does(play: Playground, work: Work, key: SshKey) -> None:
    work.commit(route_yaml(), key)
    play.settle()
    assert play.is_routed()
    before = play.revisions(), play.configs()
    bad = work.commit(route_yaml(outputs="[{name: http, host: evil.example.com}]"))
    play.settle()
    assert (play.revisions(), play.configs()) == before
    assert f"Unverified: git+file://{play.specs}/.git: the signature of commit {bad[:12]} is missing" in told(play)
    assert 'logroute_source_fetch_failures_total{reason="Unverified"}' in play.metrics.render()[0].decode()
    play.start()
    play.settle()
    assert (play.revisions(), play.configs()) == before
    assert bad[:12] in told(play)
    assert play.controller.board.plain()["refused"] == bad
    work.commit(route_yaml(outputs="[{name: stdout, format: json_lines}]"), key)
    play.settle()
    assert told(play) == ""
    assert "refused" not in play.controller.board.plain()
    assert any(b"json_lines" in body for body in play.configs().values())


def test_after_a_restart_that_meets_an_unsigned_head_drift_is_still_mended(
    play: Playground, work: Work, key: SshKey
) -> None:
    work.commit(route_yaml(), key)
    play.settle()
    plain = play.ecs.list_task_definitions(familyPrefix="example")["taskDefinitionArns"][0]
    work.commit("a: 1", name="unsigned.yaml")
    play.start()
    play.ecs.update_service(cluster=CLUSTER, service="example", taskDefinition=plain)
    assert not play.is_routed()
    play.settle(6)
    assert play.is_routed()
    assert "stays in force" in told(play)


def test_commands_of_one_shot_end_with_an_error_and_write_nothing(
    play: Playground, work: Work, key: SshKey, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logroute = commands(play, monkeypatch)
    monkeypatch.setenv("LOGROUTE_SOURCE", str(play.settings.source))
    work.commit(route_yaml(), key)
    assert logroute("plan") == 2
    bad = work.commit("a: 1", name="unsigned.yaml")
    capsys.readouterr()
    for command in ("plan", "apply"):
        assert logroute(command) == 1
        assert f"the signature of commit {bad[:12]} is missing" in capsys.readouterr().err
    assert play.revisions() == 1
    assert logroute("doctor") == 1
    assert "the signature of commit" in capsys.readouterr().out
