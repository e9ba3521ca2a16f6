"""The programs that judge signatures, and hostile heads: missing, hanging, many at once, and what they may not do."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from controller.sources import GitOptions, Reason, SourceError
from controller.sources.credentials import Verify
from controller.sources.keys import Trust
from tests.support.signing import GpgKey, SshKey
from tests.support.signing_room import Room, text
from tests.unit.sources_support import make_certificate, open_git, serving

pytestmark = [pytest.mark.needs("git"), pytest.mark.needs("gpg"), pytest.mark.needs("ssh-keygen")]


@pytest.mark.parametrize("program", ["gpg", "ssh-keygen"])
def test_a_program_that_is_missing_is_named_with_its_package(
    room: Room, ssh: dict[str, SshKey], gpg: dict[str, GpgKey], program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = gpg["good"] if program == "gpg" else ssh["good"]
    room.allow(key.public if isinstance(key, GpgKey) else key.line())
    room.work.commit("a: 1", key)
    tools = room.folder / "bin"
    tools.mkdir()
    for name in ("git", "git-upload-pack", "sh"):
        (tools / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(SourceError) as caught:
        room.open().poll(None)
    assert caught.value.reason is Reason.VERIFIER_MISSING
    assert f"the program {program} cannot be started" in caught.value.message
    assert ("gnupg" if program == "gpg" else "openssh-client") in caught.value.hint


def test_the_users_own_keyring_and_settings_have_no_say_and_no_agent_is_left(
    room: Room, ssh: dict[str, SshKey], gpg: dict[str, GpgKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    room.allow(ssh["good"].line())
    room.allow(gpg["other"].public, "other.asc")
    theirs = room.folder / "home"
    (theirs / ".config/git").mkdir(parents=True)
    (theirs / "signers").write_text(ssh["other"].line())
    (theirs / ".gitconfig").write_text(f'[gpg]\n\tprogram = true\n[gpg "ssh"]\n\tallowedSignersFile={theirs}/signers\n')
    monkeypatch.setenv("HOME", str(theirs))
    monkeypatch.setenv("GNUPGHOME", str(gpg["good"].home))
    for key in (gpg["good"], ssh["other"]):
        room.work.commit("a: 1", key)
        assert "by a key that is not allowed" in room.refused().message
    sockets = list((room.folder / room.cache).rglob("S.*"))
    assert sockets == []


def test_a_folder_of_keys_that_others_may_write_is_not_used(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    room.work.commit("a: 1", ssh["good"])
    room.open().poll(None)
    (ring,) = (room.folder / room.cache).glob("keys-*")
    ring.chmod(0o777)
    with pytest.raises(SourceError, match="is open to others"):
        room.open().poll(None)


def test_a_program_that_hangs_is_ended_and_said(
    room: Room, ssh: dict[str, SshKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    room.allow(ssh["good"].line())
    room.work.commit("a: 1", ssh["good"])
    tools = room.folder / "bin"
    tools.mkdir()
    os.mkfifo(tools / "never")
    (tools / "ssh-keygen").write_text(f"#!/bin/sh\nexec cat {tools / 'never'}\n")
    (tools / "ssh-keygen").chmod(0o700)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr("controller.sources.git_program.SECONDS", 0.5)
    with pytest.raises(SourceError) as caught:
        room.open().poll(None)
    assert caught.value.reason is Reason.TIMED_OUT


def test_a_refused_head_is_not_judged_again_with_each_poll(
    room: Room, ssh: dict[str, SshKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    room.allow(ssh["good"].line())
    room.work.commit("a: 1")
    source = room.open()
    first = room.refused(source).message

    def never(*_: object, **__: object) -> None:
        raise AssertionError("it was judged again")

    with monkeypatch.context() as patch:
        patch.setattr("controller.sources.git_heads.Heads.refusal", never)
        assert room.refused(source).message == first
    room.work.commit("a: 2", ssh["good"])
    assert text(source.poll(None)) == "a: 2"


def test_what_a_hostile_commit_says_of_itself_is_not_repeated(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    raw = room.work.raw(room.work.commit("a: 1", ssh["good"]))
    room.work.put(raw.replace(b"author A <", b"author \x1b[31mplanted <").replace(b"\n\nm\n", b"\n\nplanted\n"))
    error = room.refused()
    assert "planted" not in str(error)
    assert str(error).isprintable()


def test_several_that_start_at_once_share_one_keyring_and_one_cache(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    room.work.commit("a: 1", ssh["good"])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: text(room.open().poll(None)), range(4)))
    assert found == ["a: 1"] * 4
    assert sorted(path.name.split("-")[0] for path in (room.folder / room.cache).iterdir()) == [
        "git",
        "git",
        "git",
        "keys",
    ]


@pytest.mark.needs("openssl")
def test_history_is_fetched_over_https_as_far_as_it_is_needed(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    certificate = make_certificate(room.folder)
    options = GitOptions(verify=Verify("commit", Trust(tuple(room.keys))), ca_file=certificate[0])
    with serving(room.folder, certificate) as server:
        url = server.url("work/.git")
        good = room.work.commit("a: 1", ssh["good"])
        source = open_git(url, room.folder / "cache", options)
        last = source.poll(None)
        room.work.commit("a: 2")
        for number in range(55):
            room.work.commit(f"b: {number}")
        room.refused(source, last)
        restarted = room.refused(open_git(url, room.folder / "cache", options))
        assert restarted.instead is not None
        assert restarted.instead.revision == good
        room.work.commit("a: 3", ssh["good"])
        assert text(source.poll(last)) == "a: 3"
