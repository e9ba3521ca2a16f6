"""Signed tags: `git.verify` with `mode: tag`."""

from __future__ import annotations

import pytest

from controller.sources import SourceError
from tests.support.signing import GpgKey, Key, SshKey
from tests.support.signing_room import Room, text

pytestmark = [pytest.mark.needs("git"), pytest.mark.needs("gpg"), pytest.mark.needs("ssh-keygen")]


@pytest.fixture
def tagged(room: Room, ssh: dict[str, SshKey]) -> Room:
    """Its tag `stable` must be signed; commits need not be."""
    room.allow(ssh["good"].line())
    room.mode, room.ref = "tag", "@stable"
    return room


def test_a_signed_tag_is_taken_and_one_by_gpg_too(tagged: Room, ssh: dict[str, SshKey], gpg: dict[str, GpgKey]) -> None:
    tagged.allow(gpg["good"].public, "keys.asc")
    source = tagged.open()
    keys: list[tuple[str, Key]] = [("a: 0", ssh["good"]), ("a: 1", gpg["good"])]
    for text_of, key in keys:
        commit = tagged.work.commit(text_of)
        tagged.work.tag("stable", key)
        last = source.poll(None)
        assert (text(last), last.revision) == (text_of, commit)
        assert source.poll(last) is last
    tagged.ref = "@refs/tags/stable"
    assert text(tagged.open().poll(None)) == "a: 1"


def test_a_tag_that_is_light_unsigned_or_by_another_key_is_refused(tagged: Room, ssh: dict[str, SshKey]) -> None:
    tagged.work.commit("a: 1", ssh["good"])
    tagged.work.git("tag", "stable")
    assert "the tag is a light one" in tagged.refused().message
    tagged.work.tag("stable")
    assert "is missing" in tagged.refused().message
    tagged.work.tag("stable", ssh["other"])
    assert "by a key that is not allowed" in tagged.refused().message


def test_a_signed_tag_under_another_name_is_refused(tagged: Room, ssh: dict[str, SshKey]) -> None:
    tagged.work.commit("a: 1")
    signed = tagged.work.tag("experiment", ssh["good"])
    tagged.work.git("update-ref", "refs/tags/stable", signed)
    assert "is of a tag with another name than stable" in tagged.refused().message


def test_a_signed_tag_that_was_altered_is_refused(tagged: Room, ssh: dict[str, SshKey]) -> None:
    first = tagged.work.commit("a: 1")
    other = tagged.work.commit("a: 2")
    raw = tagged.work.raw(tagged.work.tag("stable", ssh["good"], first))
    tagged.work.put(raw.replace(first.encode(), other.encode()), "tag", "refs/tags/stable")
    assert "altered after it was signed" in tagged.refused().message
    signature = raw[raw.index(b"-----BEGIN") :]
    tagged.work.put(raw + signature, "tag", "refs/tags/stable")
    assert "not one but several" in tagged.refused().message


def test_a_signed_tag_on_another_tag_is_refused(tagged: Room, ssh: dict[str, SshKey]) -> None:
    tagged.work.commit("a: 1")
    inner = tagged.work.tag("stable", ssh["good"])
    tagged.work.tag("outer", ssh["good"], inner)
    raw = tagged.work.raw("refs/tags/outer").replace(b"tag outer", b"tag stable")
    tagged.work.put(raw, "tag", "refs/tags/stable")
    assert "on something that is no commit" in tagged.refused().message


def test_an_older_tag_is_a_replay_and_a_newer_one_may_go_back(tagged: Room, ssh: dict[str, SshKey]) -> None:
    first = tagged.work.commit("a: 1")
    old = tagged.work.tag("stable", ssh["good"], date="2026-01-01T00:00:00Z")
    second = tagged.work.commit("a: 2")
    tagged.work.tag("stable", ssh["good"], date="2026-01-02T00:00:00Z")
    source = tagged.open()
    last = source.poll(None)
    tagged.work.git("update-ref", "refs/tags/stable", old)
    assert "is signed, but older than" in tagged.refused(source, last).message
    restarted = tagged.refused()
    assert restarted.instead is not None
    assert restarted.instead.revision == second
    tagged.work.tag("stable", ssh["good"], first, date="2026-01-03T00:00:00Z")
    assert source.poll(last).revision == first


@pytest.mark.parametrize("ref", ["", "@HEAD", "@refs/heads/main", f"@{'1' * 40}"])
def test_mode_tag_wants_a_source_that_names_a_tag(tagged: Room, ref: str) -> None:
    tagged.ref = ref
    with pytest.raises(SourceError, match=r"names no tag, and git\.verify has mode: tag"):
        tagged.open()


def test_a_branch_with_the_name_of_the_tag_is_not_looked_at(tagged: Room, ssh: dict[str, SshKey]) -> None:
    good = tagged.work.commit("a: 1")
    tagged.work.tag("stable", ssh["good"])
    tagged.work.commit("evil: 1")
    tagged.work.git("branch", "stable")
    assert tagged.open().poll(None).revision == good
