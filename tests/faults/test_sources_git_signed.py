"""Which heads get in where git.verify is set: real git, gpg and ssh-keygen, and every way to be wrong."""

from __future__ import annotations

import shutil

import pytest

from controller.sources import Reason, SourceError
from tests.support.signing import AUTHOR, GpgKey, SshKey, said
from tests.support.signing_room import Room, text

pytestmark = [pytest.mark.needs("git"), pytest.mark.needs("gpg"), pytest.mark.needs("ssh-keygen")]


def test_a_head_signed_by_an_allowed_key_is_taken_whichever_kind_it_is(
    room: Room, ssh: dict[str, SshKey], gpg: dict[str, GpgKey]
) -> None:
    room.allow(ssh["good"].line(), "signers")
    room.allow(gpg["good"].public, "keys.asc")
    source = room.open()
    room.work.commit("a: 1", ssh["good"])
    first = source.poll(None)
    room.work.commit("a: 2", gpg["good"])
    second = source.poll(first)
    assert (text(first), text(second)) == ("a: 1", "a: 2")
    assert source.poll(second) is second
    assert text(room.open().poll(None)) == "a: 2"


def test_a_binary_gpg_key_does_as_well_as_an_armored_one(room: Room, gpg: dict[str, GpgKey]) -> None:
    room.allow(gpg["good"].gpg("--export", gpg["good"].user))
    room.work.commit("a: 1", gpg["good"])
    assert text(room.open().poll(None)) == "a: 1"


def test_an_unsigned_head_leaves_the_last_good_in_force_and_names_both(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    good = room.work.commit("a: 1", ssh["good"])
    source = room.open()
    last = source.poll(None)
    bad = room.work.commit("a: 2")
    for _ in range(2):
        error = room.refused(source, last)
        assert f"signature of commit {bad[:12]} is missing" in error.message
        assert f"{good[:12]} stays in force" in error.message
        assert "git commit -S" in error.hint
    room.work.commit("a: 3", ssh["good"])
    assert text(source.poll(last)) == "a: 3"


def test_each_way_for_an_ssh_signature_to_be_wrong_has_its_own_words(room: Room, ssh: dict[str, SshKey]) -> None:
    work, good = room.work, ssh["good"]
    room.allow(good.line())
    work.commit("a: 1", ssh["other"])
    assert "by a key that is not allowed (SHA256:" in room.refused().message
    signed = work.raw(work.commit("a: 2", good))
    work.put(signed.replace(b"\n\nm\n", b"\n\nother words\n"))
    assert "altered after it was signed" in room.refused().message
    work.put(signed.replace(b"\ngpgsig ", b"\ngpgsig junk\ngpgsig "))
    assert "not one but several" in room.refused().message
    work.put(signed.replace(b"BEGIN SSH SIGNATURE", b"BEGIN SIGNED MESSAGE"))
    assert "neither GPG's nor SSH's" in room.refused().message
    work.put(signed.replace(b"\n\nm\n", b"\n\n" + b"m" * 2_000_000))
    assert "more than 1,048,576 bytes" in room.refused().message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ('valid-before="20200101Z"', "by a key that has expired"),
        ('valid-after="20990101Z"', "from before its key became valid"),
        ('namespaces="file"', "allows for other purposes only"),
    ],
)
def test_what_the_signers_file_says_of_a_key_holds(
    room: Room, ssh: dict[str, SshKey], options: str, words: str
) -> None:
    room.allow(ssh["good"].line(options))
    room.work.commit("a: 1", ssh["good"])
    assert words in room.refused().message


def test_a_signature_for_another_purpose_is_none(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    script = room.folder / "wrong-purpose"
    script.write_text('#!/bin/sh\nshift 4\nexec ssh-keygen -Y sign -n file "$@"\n')
    script.chmod(0o700)
    room.work.commit("a: 1", ssh["good"], settings=(*ssh["good"].git, "-c", f"gpg.ssh.program={script}"))
    assert "made for another purpose" in room.refused().message


def test_each_way_for_a_gpg_signature_to_be_wrong_has_its_own_words(room: Room, gpg: dict[str, GpgKey]) -> None:
    work, good = room.work, gpg["good"]
    room.allow(good.public, "good.asc")
    room.allow(gpg["expired"].public, "expired.asc")
    work.commit("a: 1", gpg["other"])
    assert f"by a key that is not allowed ({gpg['other'].fingerprint[-16:]})" in room.refused().message
    work.commit("a: 2", gpg["expired"])
    assert "by a key that has expired" in room.refused().message
    raw = work.raw(work.commit("a: 3", good))
    work.put(raw.replace(b"\n\nm\n", b"\n\nother words\n"))
    assert "altered after it was signed" in room.refused().message


def test_a_signature_that_was_for_a_time_counts_for_that_time(room: Room, gpg: dict[str, GpgKey]) -> None:
    old = gpg["old"]
    room.allow(old.public)
    room.work.commit("a: 1", old, settings=old.program("--default-sig-expire", "1d"))
    assert "is past its time" in room.refused().message
    room.work.commit("a: 2", old)
    assert text(room.open().poll(None)) == "a: 2"


@pytest.mark.parametrize("how", ["certificate", "public key"])
def test_a_gpg_key_in_a_file_of_revoked_ones_is_refused(room: Room, gpg: dict[str, GpgKey], how: str) -> None:
    room.allow(gpg["good"].public)
    room.work.commit("a: 1", gpg["good"])
    room.open().poll(None)
    room.revoke(gpg["good"].revocation if how == "certificate" else gpg["good"].public)
    assert "by a key that was revoked" in room.refused().message


@pytest.mark.parametrize("how", ["public key", "list"])
def test_an_ssh_key_in_a_file_of_revoked_ones_is_refused(room: Room, ssh: dict[str, SshKey], how: str) -> None:
    room.allow(ssh["good"].line())
    room.work.commit("a: 1", ssh["good"])
    listed = room.folder / "krl"
    said("ssh-keygen", "-q", "-k", "-f", str(listed), f"{ssh['good'].private}.pub")
    room.revoke(ssh["good"].public if how == "public key" else listed.read_bytes())
    assert "by a key that was revoked" in room.refused().message


def test_changed_key_files_judge_the_same_head_anew_without_a_restart(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    room.work.commit("a: 1", ssh["good"])
    source = room.open()
    last = source.poll(None)
    room.work.commit("a: 2", ssh["other"])
    room.refused(source, last)
    room.allow(ssh["good"].line() + ssh["other"].line())
    second = source.poll(last)
    assert text(second) == "a: 2"
    room.allow(ssh["good"].line())
    assert "stays in force" in room.refused(source, second).message
    room.allow(b"")
    with pytest.raises(SourceError, match="is empty") as caught:
        source.poll(second)
    assert caught.value.reason is Reason.KEYS


def test_after_a_restart_the_last_good_comes_back_and_the_refusal_with_it(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    good = room.work.commit("a: 1", ssh["good"])
    room.open().poll(None)
    for number in range(3):
        room.work.commit(f"b: {number}")
    source = room.open()
    error = room.refused(source)
    assert error.instead is not None
    assert (text(error.instead), error.instead.revision) == ("a: 1", good)
    assert room.refused(source, error.instead).message == error.message


def test_without_a_cache_the_newest_good_commit_of_the_history_is_taken(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    room.work.commit("a: 1", ssh["good"])
    newest = room.work.commit("a: 2", ssh["good"])
    for number in range(48):
        room.work.commit(f"b: {number}")
    error = room.refused()
    assert error.instead is not None
    assert error.instead.revision == newest
    room.work.commit("c: 1")
    room.work.commit("c: 2")
    room.cache = "another"
    assert room.refused().instead is None  # 50 commits back and no further


def test_a_merged_branch_is_not_searched(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    room.work.commit("a: 1")
    room.work.git("checkout", "--quiet", "-b", "side")
    room.work.commit("a: 2", ssh["good"])
    room.work.git("checkout", "--quiet", "main")
    room.work.git(*AUTHOR, "merge", "--quiet", "--no-ff", "-m", "m", "side")
    assert room.refused().instead is None


def test_an_older_signed_head_is_a_replay(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    first = room.work.commit("a: 1", ssh["good"])
    second = room.work.commit("a: 2", ssh["good"])
    source = room.open()
    last = source.poll(None)
    room.work.git("reset", "--quiet", "--hard", first)
    assert "does not go on from" in room.refused(source, last).message
    aside = room.work.commit("a: 3", ssh["good"])
    assert aside[:12] in room.refused(source, last).message
    restarted = room.refused()
    assert restarted.instead is not None
    assert restarted.instead.revision == second
    room.work.git("reset", "--quiet", "--hard", second)
    assert source.poll(last) is last


def test_who_took_over_with_a_key_that_was_revoked_since_stands_in_nobodys_way(
    room: Room, ssh: dict[str, SshKey]
) -> None:
    room.allow(ssh["good"].line() + ssh["other"].line())
    first = room.work.commit("a: 1", ssh["good"])
    room.work.commit("evil: 1", ssh["other"])
    last = (source := room.open()).poll(None)
    room.allow(ssh["good"].line())
    room.work.git("reset", "--quiet", "--hard", first)
    assert text(source.poll(last)) == "a: 1"


def test_a_head_far_ahead_of_the_last_good_one_is_found_to_go_on(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    room.work.commit("a: 1", ssh["good"])
    source = room.open()
    last = source.poll(None)
    for number in range(60):
        room.work.commit(f"b: {number}")
    room.work.commit("a: 2", ssh["good"])
    assert text(source.poll(last)) == "a: 2"


def test_a_cache_that_starts_afresh_does_not_forget_the_last_good(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    first = room.work.commit("a: 1", ssh["good"])
    room.work.commit("a: 2", ssh["good"])
    room.open().poll(None)
    (home,) = (path for path in (room.folder / room.cache).glob("git-*") if path.is_dir())
    shutil.rmtree(home)
    room.work.git("reset", "--quiet", "--hard", first)
    assert room.refused().instead is None
    room.work.git("reset", "--quiet", "--hard", "ORIG_HEAD")
    assert text(room.open().poll(None)) == "a: 2"


def test_a_whole_commit_is_verified_too_and_nothing_takes_its_place(room: Room, ssh: dict[str, SshKey]) -> None:
    room.allow(ssh["good"].line())
    good = room.work.commit("a: 1", ssh["good"])
    bad = room.work.commit("a: 2")
    room.ref = f"@{bad}"
    assert room.refused().instead is None
    room.ref = f"@{good}"
    source = room.open()
    last = source.poll(None)
    assert source.poll(last) is last
    room.allow(ssh["other"].line())
    room.refused(source, last)
