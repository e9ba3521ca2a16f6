"""Git sources over git+file, where every promise but that of transport and secrets can be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.sources import FileReason, Limits, Reason, SourceError
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


def reason_of(url: str, cache: Path, limits: Limits | None = None) -> Reason:
    with pytest.raises(SourceError) as caught:
        open_git(url, cache, limits=limits).poll(None)
    assert caught.value.message
    return caught.value.reason


def test_the_snapshot_holds_the_spec_files_of_the_default_branch(repository: Repository, url: str, cache: Path) -> None:
    commit = repository.commit({"b.yml": b"b", "a/a.yaml": b"a", "README.md": b"no", "a/b.yaml.txt": b"no"})
    snapshot = open_git(url, cache).poll(None)
    assert snapshot.revision == commit
    assert list(snapshot.files) == ["a/a.yaml", "b.yml"]
    assert snapshot.contents() == {"a/a.yaml": b"a", "b.yml": b"b"}


def test_hidden_files_and_folders_are_left_out(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({".github/a.yaml": b"", "x/.y/a.yaml": b"", ".gitlab-ci.yml": b"", "a.yaml": b"a"})
    assert list(open_git(url, cache).poll(None).files) == ["a.yaml"]


def test_paths_are_relative_to_the_folder_asked_for(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({"teams/web/a.yaml": b"a", "other.yaml": b"o"})
    assert open_git(f"{url}#path=teams", cache).poll(None).contents() == {"web/a.yaml": b"a"}


def test_an_unchanged_branch_gives_the_same_snapshot(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({"a.yaml": b"a"})
    source = open_git(url, cache)
    first = source.poll(None)
    assert source.poll(first) is first


def test_a_new_process_finds_its_snapshot_unchanged(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({"a.yaml": b"a"})
    first = open_git(url, cache).poll(None)
    assert open_git(url, cache).poll(first) is first


def test_a_snapshot_of_another_folder_is_never_taken_for_ours(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({"a/x.yaml": b"a", "b/x.yaml": b"b"})
    other = open_git(f"{url}#path=a", cache).poll(None)
    assert open_git(f"{url}#path=b", cache).poll(other).contents() == {"x.yaml": b"b"}


def test_a_push_is_seen_by_the_next_poll(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({"a.yaml": b"old", "gone.yaml": b""})
    source = open_git(url, cache)
    first = source.poll(None)
    commit = repository.commit({"a.yaml": b"new"})
    second = source.poll(first)
    assert second.revision == commit
    assert second.contents() == {"a.yaml": b"new"}


def test_a_forced_push_backwards_is_followed(repository: Repository, url: str, cache: Path) -> None:
    old = repository.commit({"a.yaml": b"old"})
    repository.commit({"a.yaml": b"new"})
    source = open_git(url, cache)
    first = source.poll(None)
    repository.git("update-ref", "refs/heads/main", old)
    assert source.poll(first).contents() == {"a.yaml": b"old"}


@pytest.mark.parametrize("branch", ["stable", "feature/x", "pkg@1.0", "naïve", "a%23b"])
def test_a_branch_is_followed_by_name(repository: Repository, url: str, cache: Path, branch: str) -> None:
    repository.commit({"a.yaml": b"main"})
    repository.commit({"a.yaml": b"branch"}, branch=branch.replace("%23", "#"))
    assert open_git(f"{url}@{branch}", cache).poll(None).contents() == {"a.yaml": b"branch"}


def test_an_annotated_tag_means_the_commit_it_points_to(repository: Repository, url: str, cache: Path) -> None:
    commit = repository.commit({"a.yaml": b"tagged"})
    repository.git("-c", "user.name=A", "-c", "user.email=a@example.com", "tag", "-a", "-m", "x", "v1", commit)
    repository.commit({"a.yaml": b"later"})
    source = open_git(f"{url}@v1", cache)
    snapshot = source.poll(None)
    assert (snapshot.revision, snapshot.contents()) == (commit, {"a.yaml": b"tagged"})
    assert source.poll(snapshot) is snapshot


def test_a_branch_comes_before_a_tag_of_the_same_name(repository: Repository, url: str, cache: Path) -> None:
    repository.git("tag", "both", repository.commit({"a.yaml": b"tag"}))
    repository.commit({"a.yaml": b"branch"}, branch="both")
    assert open_git(f"{url}@both", cache).poll(None).contents() == {"a.yaml": b"branch"}
    assert open_git(f"{url}@refs/tags/both", cache).poll(None).contents() == {"a.yaml": b"tag"}


def test_a_ref_that_only_ends_in_the_name_is_not_taken(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({"a.yaml": b""}, branch="evil/refs/heads/main")
    assert reason_of(f"{url}@main", cache) is Reason.REF_NOT_FOUND


def test_a_commit_that_is_no_tip_can_be_pinned(repository: Repository, url: str, cache: Path) -> None:
    old = repository.commit({"a.yaml": b"old"})
    repository.commit({"a.yaml": b"new"})
    source = open_git(f"{url}@{old}", cache)
    snapshot = source.poll(None)
    assert (snapshot.revision, snapshot.contents()) == (old, {"a.yaml": b"old"})


def test_a_pinned_commit_needs_the_server_only_once(repository: Repository, url: str, cache: Path) -> None:
    commit = repository.commit({"a.yaml": b"a"})
    source = open_git(f"{url}@{commit}", cache)
    first = source.poll(None)
    repository.path.rename(repository.path.with_name("away"))
    assert source.poll(first) is first
    assert open_git(f"{url}@{commit}", cache).poll(None) == first


def test_what_is_missing_is_named(repository: Repository, url: str, cache: Path) -> None:
    assert reason_of(url, cache) is Reason.REF_NOT_FOUND  # no commit yet
    repository.commit({"a.yaml": b"", "file": b"", "link": Link(b".")})
    assert reason_of(f"{url}@nope", cache) is Reason.REF_NOT_FOUND
    assert reason_of(f"{url}@{'1' * 40}", cache) is Reason.REF_NOT_FOUND
    assert reason_of(f"{url}#path=nope", cache) is Reason.PATH_NOT_FOUND
    assert reason_of(f"{url}#path=file", cache) is Reason.PATH_NOT_FOUND
    assert reason_of(f"{url}#path=link", cache) is Reason.PATH_NOT_FOUND
    assert reason_of(f"{url}nope", cache) is Reason.NOT_FOUND


def test_links_inside_the_folder_are_followed(repository: Repository, url: str, cache: Path) -> None:
    repository.commit(
        {
            "real/a.txt": b"a",
            "direct.yaml": Link(b"real/a.txt"),
            "sub/up.yaml": Link(b"../direct.yaml"),
            "folder": Link(b"real"),
            "through.yaml": Link(b"./folder//a.txt"),
            "back.yaml": Link(b"folder/../real/a.txt"),
        }
    )
    assert open_git(url, cache).poll(None).contents() == dict.fromkeys(
        ["back.yaml", "direct.yaml", "sub/up.yaml", "through.yaml"], b"a"
    )


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (b"/etc/passwd", FileReason.LINK_OUTSIDE),
        (b"../../etc/passwd", FileReason.LINK_OUTSIDE),
        (b"../outside.yaml", FileReason.LINK_OUTSIDE),
        (b"sub/../../outside.yaml", FileReason.LINK_OUTSIDE),
        (b"missing.yaml", FileReason.LINK_BROKEN),
        (b"self.yaml", FileReason.LINK_BROKEN),
        (b"sub", FileReason.LINK_BROKEN),
        (b"ok.yaml/x", FileReason.LINK_BROKEN),
        (b"module/x", FileReason.LINK_BROKEN),
        (b"a" * 2000, FileReason.LINK_BROKEN),
    ],
)
def test_a_link_that_leads_nowhere_good_harms_only_itself(
    repository: Repository, url: str, cache: Path, target: bytes, reason: FileReason
) -> None:
    repository.commit(
        {
            "outside.yaml": b"secret",
            "specs/ok.yaml": b"ok",
            "specs/sub/x.txt": b"",
            "specs/self.yaml": Link(target),
            "specs/module": Submodule(),
        }
    )
    snapshot = open_git(f"{url}#path=specs", cache).poll(None)
    assert snapshot.contents() == {"ok.yaml": b"ok"}
    (bad,) = snapshot.problems()
    assert (bad.path, bad.problem and bad.problem.reason) == ("self.yaml", reason)


def test_submodules_are_not_entered(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({"module.yaml": Submodule(), ".gitmodules": b"", "a.yaml": b"a"})
    assert list(open_git(url, cache).poll(None).files) == ["a.yaml"]


def test_a_file_over_the_limit_is_reported_and_not_held(repository: Repository, url: str, cache: Path) -> None:
    size = 2 * 1024 * 1024
    repository.commit({"big.yaml": b"x" * size, "link.yaml": Link(b"big.yaml"), "ok.yaml": b"ok"})
    snapshot = open_git(url, cache).poll(None)
    assert snapshot.contents() == {"ok.yaml": b"ok"}
    assert {(bad.path, bad.size, bad.problem and bad.problem.reason) for bad in snapshot.problems()} == {
        ("big.yaml", size, FileReason.TOO_LARGE),
        ("link.yaml", size, FileReason.TOO_LARGE),
    }


def test_ten_thousand_files_are_read_and_one_more_is_refused(repository: Repository, url: str, cache: Path) -> None:
    files: dict[str | bytes, bytes | Link | Submodule] = {f"{n}.yaml": b"%d" % n for n in range(10_000)}
    repository.commit(files)
    assert len(open_git(url, cache).poll(None).contents()) == 10_000
    repository.commit({**files, "more.yaml": b""})
    assert reason_of(url, cache) is Reason.TOO_MANY_FILES


def test_the_sum_of_all_files_is_bounded(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({"a.yaml": b"x" * 600, "b.yaml": b"y" * 600})
    assert reason_of(url, cache, Limits(max_total_bytes=1000)) is Reason.TOO_LARGE


def test_names_that_cannot_be_shown_are_problems_of_their_files(repository: Repository, url: str, cache: Path) -> None:
    repository.commit({b"caf\xe9.yaml": b"", "a\nb.yaml": b"", "x\u202ey.yaml": b"", "日本 語.yaml": b"ok"})
    snapshot = open_git(url, cache).poll(None)
    assert snapshot.contents() == {"日本 語.yaml": b"ok"}
    assert [bad.path for bad in snapshot.problems()] == ["a\\nb.yaml", "caf\\xe9.yaml", "x\\u202ey.yaml"]
    assert {bad.problem.reason for bad in snapshot.problems() if bad.problem} == {FileReason.BAD_NAME}
