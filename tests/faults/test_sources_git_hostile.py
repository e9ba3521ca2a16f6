"""Repositories and caches that mean harm or came to harm, and a machine whose git is not ours to trust."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from controller.sources import FileReason, GitOptions, Limits, Reason, SourceError
from tests.unit.sources_support import Link, Repository, Submodule, open_git

pytestmark = pytest.mark.needs("git")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.create(tmp_path / "served" / "specs.git")


@pytest.fixture
def url(repository: Repository) -> str:
    return f"git+file://{repository.path}"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def error_of(url: str, cache: Path, options: GitOptions | None = None, limits: Limits | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_git(url, cache, options, limits).poll(None)
    return caught.value


def home_of(cache: Path) -> Path:
    (home,) = (path for path in cache.iterdir() if path.is_dir())
    return home


def test_no_file_of_this_machine_gets_into_a_snapshot(repository: Repository, url: str, cache: Path) -> None:
    depth = "../" * 30
    repository.commit(
        {
            "absolute.yaml": Link(b"/etc/passwd"),
            "up.yaml": Link(f"{depth}etc/passwd".encode()),
            "step": Link(b".."),
            "by-step.yaml": Link(b"step/etc/passwd"),
            "proc.yaml": Link(b"/proc/self/environ"),
        }
    )
    snapshot = open_git(url, cache).poll(None)
    assert snapshot.contents() == {}
    reasons = {bad.problem.reason for bad in snapshot.problems() if bad.problem}
    assert reasons == {FileReason.LINK_OUTSIDE}


def test_ten_thousand_circles_of_links_are_soon_given_up(repository: Repository, url: str, cache: Path) -> None:
    long = b"d/../" * 200
    repository.commit({"d/x": b"", **{f"{n}.yaml": Link(long + b"%d.yaml" % (n + 1)) for n in range(3000)}})
    assert len(open_git(url, cache).poll(None).problems()) == 3000


def test_hooks_filters_and_lfs_of_a_repository_do_not_run(
    repository: Repository, url: str, cache: Path, tmp_path: Path
) -> None:
    marker = tmp_path / "pwned"
    repository.commit(
        {
            ".gitattributes": b"*.yaml filter=lfs diff=evil\n",
            ".lfsconfig": b"[lfs]\nurl = https://127.0.0.1:1/\n",
            ".gitmodules": b'[submodule "m"]\npath = m\nurl = ext::touch pwned\nupdate = !touch pwned\n',
            "m": Submodule(),
            "a.yaml": b"version https://git-lfs.github.com/spec/v1\n",
        }
    )
    assert error_of(url, cache).reason is Reason.REJECTED  # by git's own checks of .gitmodules
    source = open_git(url, cache)
    repository.commit({".gitattributes": b"*.yaml filter=lfs\n", "a.yaml": b"pointer\n"})
    hooks = home_of(cache) / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "post-merge"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {marker}\n", encoding="utf-8")
        (hooks / name).chmod(0o755)
    assert source.poll(None).contents() == {"a.yaml": b"pointer\n"}
    assert not marker.exists()


@pytest.mark.parametrize("name", [b"..", b".", b".git"])
def test_trees_that_would_climb_out_are_refused(repository: Repository, url: str, cache: Path, name: bytes) -> None:
    blob = repository.git("hash-object", "-w", "--stdin", stdin=b"evil")
    inner = bytes.fromhex(repository.git("mktree", stdin=f"100644 blob {blob}\ta.yaml\n".encode()))
    words = ("hash-object", "-w", "-t", "tree", "--stdin", "--literally")
    outer = repository.git(*words, stdin=b"40000 %s\0%s" % (name, inner))
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    commit = repository.git(*identity, "commit-tree", "-m", "x", outer)
    repository.git("update-ref", "refs/heads/main", commit)
    assert error_of(url, cache).reason is Reason.REJECTED


def test_a_tree_bomb_is_not_unfolded(repository: Repository, url: str, cache: Path) -> None:
    blob = repository.git("hash-object", "-w", "--stdin", stdin=b"x")
    tree = repository.git("mktree", stdin=f"100644 blob {blob}\ta.yaml\n".encode())
    for _ in range(9):  # a thousand million files in ten small objects
        rows = "".join(f"040000 tree {tree}\t{n}\n" for n in range(10))
        tree = repository.git("mktree", stdin=rows.encode())
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    repository.git("update-ref", "refs/heads/main", repository.git(*identity, "commit-tree", "-m", "x", tree))
    error = error_of(url, cache, limits=Limits(max_entries=10_000))
    assert error.reason in (Reason.TOO_LARGE, Reason.TOO_MANY_FILES)


def test_configuration_of_the_machine_has_no_say(
    repository: Repository, url: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"a.yaml": b"a"})
    marker = tmp_path / "pwned"
    (tmp_path / ".gitconfig").write_text(
        f'[url "file:///nowhere/"]\n\tinsteadOf = file://{repository.path.parent}/\n'
        f"[core]\n\tfsmonitor = touch {marker}\n[uploadpack]\n\tpackObjectsHook = touch {marker}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", f"touch {marker}")
    monkeypatch.setenv("GIT_SSH_COMMAND", f"touch {marker}")
    assert open_git(url, cache).poll(None).contents() == {"a.yaml": b"a"}
    assert not marker.exists()


def test_a_cache_inside_another_checkout_is_a_repository_of_its_own(
    repository: Repository, url: str, tmp_path: Path
) -> None:
    repository.commit({"a.yaml": b"a"})
    outer = Repository.create(tmp_path / "checkout" / ".git")
    before = outer.git("config", "--list", "--local")
    assert open_git(url, tmp_path / "checkout" / "cache").poll(None).contents() == {"a.yaml": b"a"}
    assert outer.git("config", "--list", "--local") == before
    assert outer.git("for-each-ref") == ""


@pytest.mark.parametrize("lock", ["shallow.lock", "refs/logroute/current.lock", "HEAD.lock"])
def test_locks_left_by_a_kill_do_not_stop_the_next_poll(
    repository: Repository, url: str, cache: Path, lock: str
) -> None:
    repository.commit({"a.yaml": b"a"})
    open_git(url, cache).poll(None)
    (home_of(cache) / lock).touch()
    repository.commit({"a.yaml": b"b"})
    assert open_git(url, cache).poll(None).contents() == {"a.yaml": b"b"}


def test_a_cache_that_a_kill_left_half_made_is_made_anew(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({"a.yaml": b"a"})
    first = open_git(url, cache).poll(None)
    (home_of(cache) / "HEAD").unlink()
    assert open_git(url, cache).poll(None) == first


def test_a_cache_with_rotten_packs_is_made_anew(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({"a.yaml": b"a"})
    first = open_git(url, cache).poll(None)
    for pack in home_of(cache).glob("objects/pack/*.pack"):
        pack.chmod(0o644)
        pack.write_bytes(pack.read_bytes()[:40])
    assert open_git(url, cache).poll(None) == first


def test_a_cache_does_not_grow_for_ever(
    repository: Repository, url: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.sources.git._MAX_PACKS", 3)
    source = open_git(url, cache)
    for number in range(8):
        repository.commit({"a.yaml": b"%d" % number})
        assert source.poll(None).contents() == {"a.yaml": b"%d" % number}
        assert len(list(home_of(cache).glob("objects/pack/*.pack"))) <= 3


def test_a_cache_that_cannot_be_written_is_said_so(url: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    error = error_of(url, file / "cache")
    assert (error.reason, bool(error.hint)) == (Reason.CACHE, True)


def test_a_machine_without_git_is_said_so(url: str, cache: Path) -> None:
    assert error_of(url, cache, GitOptions(environment={"PATH": "/nowhere"})).reason is Reason.GIT_MISSING


def test_a_git_too_old_for_its_locks_is_refused(repository: Repository, url: str, cache: Path, tmp_path: Path) -> None:
    repository.commit({"a.yaml": b"a"})
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    real = shutil.which("git")
    shim.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo git version 2.20.1 && exit\nexec {real} "$@"\n')
    shim.chmod(0o755)
    environment = {"PATH": f"{shim.parent}:{os.environ['PATH']}"}
    assert error_of(url, cache, GitOptions(environment=environment)).reason is Reason.GIT_MISSING


def test_a_name_escaped_for_print_cannot_hide_a_real_file(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({b"caf\xe9.yaml": b"evil", "caf\\xe9.yaml": b"good"})
    assert open_git(url, cache).poll(None).contents() == {"caf\\xe9.yaml": b"good"}


def test_a_cache_that_others_can_write_is_not_used(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({"a.yaml": b"a"})
    open_git(url, cache).poll(None)
    home_of(cache).chmod(0o777)
    assert error_of(url, cache).reason is Reason.CACHE


def test_sources_that_share_a_cache_wait_for_each_other(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({f"{number}/a.yaml": b"%d" % number for number in range(8)})
    with ThreadPoolExecutor(8) as pool:
        polls = [pool.submit(open_git(f"{url}#path={number}", cache).poll, None) for number in range(8)]
    assert [poll.result().contents() for poll in polls] == [{"a.yaml": b"%d" % number} for number in range(8)]
    assert len(list(home_of(cache).glob("objects/pack/*.pack"))) == 1
