"""Which heads get in where git.verify is set: real git, gpg and ssh-keygen, and every way to be wrong."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from controller.sources import GitOptions, Reason, Snapshot, Source, SourceError
from controller.sources.credentials import Verify
from controller.sources.keys import Trust
from tests.support.signing import AUTHOR, GpgKey, Key, SshKey, Work, said
from tests.unit.sources_support import make_certificate, open_git, serving

pytestmark = [pytest.mark.needs("git"), pytest.mark.needs("gpg"), pytest.mark.needs("ssh-keygen")]


@dataclass
class Room:
    """A repository, files of keys, and a cache that a restart keeps."""

    work: Work
    folder: Path
    mode: str = "commit"
    ref: str = ""
    keys: list[Path] = field(default_factory=list)
    revoked: list[Path] = field(default_factory=list)
    cache: str = "cache"

    def allow(self, content: str | bytes, name: str = "keys") -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.keys = list(dict.fromkeys([*self.keys, path]))
        return path

    def revoke(self, content: str | bytes, name: str = "revoked") -> None:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.revoked.append(path)

    def open(self) -> Source:
        """As a start would."""
        trust = Trust(tuple(self.keys), tuple(self.revoked))
        options = GitOptions(verify=Verify("tag" if self.mode == "tag" else "commit", trust))
        return open_git(f"git+file://{self.work.path / '.git'}{self.ref}", self.folder / self.cache, options)

    def refused(self, source: Source | None = None, last: Snapshot | None = None) -> SourceError:
        with pytest.raises(SourceError) as caught:
            (source or self.open()).poll(last)
        assert caught.value.reason is Reason.UNVERIFIED, caught.value
        return caught.value


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(Work.create(tmp_path / "work"), tmp_path)


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SshKey]:
    folder = tmp_path_factory.mktemp("ssh")
    return {name: SshKey.make(folder, name) for name in ("good", "other")}


@pytest.fixture(scope="module")
def gpg() -> Iterator[dict[str, GpgKey]]:
    """In a folder with a short name: an agent's socket has 107 characters at most."""
    with tempfile.TemporaryDirectory(prefix="g-") as folder:
        home = Path(folder) / "h"
        found = {name: GpgKey.make(home, name) for name in ("good", "other")}
        found["expired"] = GpgKey.make(home, "expired", clock="20200101T000000", expires="1d")
        found["old"] = GpgKey.make(home, "old", clock="20200101T000000")
        yield found
        found["good"].stop()


def text(snapshot: Snapshot) -> str:
    return snapshot.contents()["a.yaml"].decode()


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
