"""Folders: what is read, what is left alone, and when nothing is."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from controller.sources import FileReason, FolderSpec, GitOptions, Limits, Reason, SourceError, open_source
from controller.sources.folder import FolderSource
from tests.unit.sources_support import no_bucket


def write(root: Path, **files: bytes) -> None:
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".yaml").write_bytes(content)


def source(root: Path, limits: Limits | None = None, *, age: float = 60) -> FolderSource:
    """A source that takes every file for `age` seconds older than it is."""
    spec = FolderSpec(str(root))
    return FolderSource(spec, limits or Limits(), now=lambda: time.time_ns() + int(age * 1e9))


def test_a_folder_is_read_by_relative_path_in_order(tmp_path: Path) -> None:
    write(tmp_path, b=b"b", a__c=b"c")
    (tmp_path / "a" / "d.yml").write_bytes(b"d")
    (tmp_path / "README.md").touch()
    opened = open_source(
        FolderSpec(str(tmp_path)),
        git=GitOptions(),
        bucket=no_bucket,
        secrets=None,
        cache_dir=tmp_path / "none",
    )
    snapshot = opened.poll(None)
    assert list(snapshot.files) == ["a/c.yaml", "a/d.yml", "b.yaml"]
    assert snapshot.contents() == {"a/c.yaml": b"c", "a/d.yml": b"d", "b.yaml": b"b"}
    assert not (tmp_path / "none").exists()


def test_the_revision_is_that_of_paths_and_contents_alone(tmp_path: Path) -> None:
    write(tmp_path / "one", a=b"1", b=b"2")
    write(tmp_path / "two", b=b"2", a=b"1")
    write(tmp_path / "other", a=b"12", b=b"")
    revisions = [source(tmp_path / name).poll(None).revision for name in ("one", "two", "other")]
    assert revisions[0] == revisions[1] != revisions[2]
    assert revisions[0].startswith("sha256:")


def test_nothing_new_gives_the_same_snapshot_and_reads_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a=b"a", b=b"b")
    (tmp_path / "bad.yaml").symlink_to("/etc/passwd")
    folder = source(tmp_path)
    first = folder.poll(None)
    monkeypatch.setattr(FolderSource, "_content", lambda *_: pytest.fail("a file was read"))
    assert folder.poll(first) is first


def test_touching_a_file_is_no_change(tmp_path: Path) -> None:
    write(tmp_path, a=b"a")
    folder = source(tmp_path)
    first = folder.poll(None)
    os.utime(tmp_path / "a.yaml", (1, 1))
    assert folder.poll(first) is first


def test_a_new_process_finds_its_snapshot_unchanged(tmp_path: Path) -> None:
    write(tmp_path, a=b"a")
    first = source(tmp_path).poll(None)
    assert source(tmp_path).poll(first) is first


def test_a_change_within_one_tick_of_the_clock_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a=b"1")
    real, tick = os.stat, time.time_ns()

    def coarse(path: bytes, *, follow_symlinks: bool) -> SimpleNamespace:
        found = real(path, follow_symlinks=follow_symlinks)
        return SimpleNamespace(
            st_mode=found.st_mode, st_size=found.st_size, st_ino=1, st_mtime_ns=tick, st_ctime_ns=tick
        )

    monkeypatch.setattr("controller.sources.folder.os.stat", coarse)
    folder = source(tmp_path, age=0)
    first = folder.poll(None)
    write(tmp_path, a=b"2")
    assert folder.poll(first).contents() == {"a.yaml": b"2"}


def test_added_changed_and_deleted_files_are_seen(tmp_path: Path) -> None:
    write(tmp_path, a=b"a", b=b"b")
    folder = source(tmp_path)
    first = folder.poll(None)
    write(tmp_path, a=b"new", c=b"c")
    (tmp_path / "b.yaml").unlink()
    second = folder.poll(first)
    assert second.contents() == {"a.yaml": b"new", "c.yaml": b"c"}
    assert first.contents() == {"a.yaml": b"a", "b.yaml": b"b"}


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, a=b"a")
    write(tmp_path / ".git", x=b"")
    write(tmp_path / "sub" / ".github", x=b"")
    (tmp_path / ".gitlab-ci.yml").touch()
    assert list(source(tmp_path).poll(None).files) == ["a.yaml"]


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: a.yaml -> ..data/a.yaml, ..data -> ..2024."""
    write(tmp_path / "..2024", a=b"1")
    write(tmp_path / "..2025", a=b"2")
    (tmp_path / "..data").symlink_to("..2024")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    folder = source(tmp_path)
    first = folder.poll(None)
    assert first.contents() == {"a.yaml": b"1"}
    (tmp_path / "..data").unlink()
    (tmp_path / "..data").symlink_to("..2025")
    assert folder.poll(first).contents() == {"a.yaml": b"2"}


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path / "real", a=b"a")
    (tmp_path / "link").symlink_to("real")
    assert source(tmp_path / "link").poll(None).contents() == {"a.yaml": b"a"}


def test_files_that_cannot_be_taken_in_harm_only_themselves(tmp_path: Path) -> None:
    root = tmp_path / "specs"
    write(root, ok=b"ok", sub__x=b"x")
    write(tmp_path / "specs-too", secret=b"secret")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_bytes(b"secret")
    (root / "big.yaml").write_bytes(b"x" * 2_000_000)
    (root / "out.yaml").symlink_to("/etc/passwd")
    (root / "sibling.yaml").symlink_to("../specs-too/secret.yaml")
    (root / "config.yaml").symlink_to(".git/config")
    (root / "loop.yaml").symlink_to("loop.yaml")
    (root / "gone.yaml").symlink_to("nothing")
    (root / "dir.yaml").symlink_to("sub")
    os.mkfifo(root / "pipe.yaml")
    (root / os.fsdecode(b"caf\xe9.yaml")).touch()
    (root / "two\nlines.yaml").touch()
    snapshot = source(root).poll(None)
    assert snapshot.contents() == {"ok.yaml": b"ok", "sub/x.yaml": b"x"}
    assert {bad.path: bad.problem.reason for bad in snapshot.problems() if bad.problem} == {
        "big.yaml": FileReason.TOO_LARGE,
        "caf\\xe9.yaml": FileReason.BAD_NAME,
        "config.yaml": FileReason.LINK_OUTSIDE,
        "dir.yaml": FileReason.LINK_BROKEN,
        "gone.yaml": FileReason.LINK_BROKEN,
        "loop.yaml": FileReason.LINK_BROKEN,
        "out.yaml": FileReason.LINK_OUTSIDE,
        "pipe.yaml": FileReason.NOT_A_FILE,
        "sibling.yaml": FileReason.LINK_OUTSIDE,
        "two\\nlines.yaml": FileReason.BAD_NAME,
    }


def test_the_bounds_hold(tmp_path: Path) -> None:
    write(tmp_path, a=b"aa", b=b"bb", c=b"cc")
    assert len(source(tmp_path, Limits(max_files=3, max_total_bytes=6)).poll(None).files) == 3
    for limits, reason in (
        (Limits(max_files=2), Reason.TOO_MANY_FILES),
        (Limits(max_entries=2), Reason.TOO_MANY_FILES),
        (Limits(max_total_bytes=5), Reason.TOO_LARGE),
    ):
        with pytest.raises(SourceError) as caught:
            source(tmp_path, limits).poll(None)
        assert (caught.value.reason, bool(caught.value.hint)) == (reason, True)


def test_ten_thousand_and_one_files_are_refused(tmp_path: Path) -> None:
    for number in range(10_001):
        (tmp_path / f"{number}.yml").touch()
    with pytest.raises(SourceError, match="10,000"):
        source(tmp_path).poll(None)


def test_a_folder_that_goes_away_is_an_error_and_no_empty_source(tmp_path: Path) -> None:
    write(tmp_path / "specs", a=b"a")
    folder = source(tmp_path / "specs")
    first = folder.poll(None)
    (tmp_path / "specs").rename(tmp_path / "away")
    with pytest.raises(SourceError) as caught:
        folder.poll(first)
    assert caught.value.reason is Reason.NOT_FOUND
    (tmp_path / "away").rename(tmp_path / "specs")
    assert folder.poll(first) is first


def test_a_folder_that_goes_away_under_the_walk_is_no_empty_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: bytes) -> object:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("controller.sources.folder.os.scandir", gone)
    with pytest.raises(SourceError) as caught:
        source(tmp_path).poll(None)
    assert caught.value.reason is Reason.UNREADABLE


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    write(tmp_path, a=b"a")
    with pytest.raises(SourceError) as caught:
        source(tmp_path / "a.yaml").poll(None)
    assert caught.value.reason is Reason.NOT_FOUND


def test_a_subfolder_that_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files would otherwise look deleted, and their routes would be taken out."""
    write(tmp_path, a=b"a", closed__b=b"b")
    real = os.scandir

    def denied(path: bytes) -> object:
        if path.endswith(b"closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("controller.sources.folder.os.scandir", denied)
    with pytest.raises(SourceError) as caught:
        source(tmp_path).poll(None)
    assert caught.value.reason is Reason.UNREADABLE


def test_a_file_that_cannot_be_opened_harms_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a=b"a", closed=b"b")
    real = os.open

    def denied(path: bytes, *words: int) -> int:
        if path.endswith(b"closed.yaml"):
            raise PermissionError(13, "Permission denied")
        return real(path, *words)

    monkeypatch.setattr("controller.sources.folder.os.open", denied)
    snapshot = source(tmp_path).poll(None)
    assert snapshot.contents() == {"a.yaml": b"a"}
    assert [bad.problem.reason for bad in snapshot.problems() if bad.problem] == [FileReason.UNREADABLE]


def test_a_file_deleted_while_it_is_looked_at_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a=b"a", b=b"b")
    real = os.open

    def late(path: bytes, *words: int) -> int:
        if path.endswith(b"b.yaml"):
            (tmp_path / "b.yaml").unlink()
        return real(path, *words)

    monkeypatch.setattr("controller.sources.folder.os.open", late)
    assert source(tmp_path).poll(None).contents() == {"a.yaml": b"a"}
