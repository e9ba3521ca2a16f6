"""Names, revisions and links: promises that hold for any bytes whatever."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from controller.sources.git_tree import Entry, Tree
from controller.sources.names import is_unsafe, spec_name
from controller.sources.snapshot import FileProblem, Limits, SourceFile, make_snapshot

NAMES = st.lists(st.binary(max_size=6) | st.sampled_from([b"a", b".", b"..", b".git", b"\xff"]), max_size=4)
FILES = st.dictionaries(st.text("abc/\n.", min_size=1, max_size=8), st.binary(max_size=8), max_size=5)
PARTS = st.sampled_from(["a", "b", "c", "d", "..", "."])
TARGETS = st.lists(PARTS, min_size=1, max_size=5).map("/".join)


@given(NAMES.map(b"/".join), st.sampled_from([b".yaml", b".yml", b"/x.yaml", b""]))
def test_a_name_is_shown_on_one_line_and_is_itself_unless_reported(stem: bytes, suffix: bytes) -> None:
    name = spec_name(stem + suffix)
    if name is None:
        return
    assert not any(is_unsafe(letter) for letter in name.text)
    name.text.encode()
    if not name.problem:
        assert name.text.encode() == stem + suffix
        assert not {"", ".", ".."} & set(name.text.split("/"))


@given(FILES, FILES)
def test_revisions_are_equal_only_for_equal_files(one: Mapping[str, bytes], two: Mapping[str, bytes]) -> None:
    first, second = (
        make_snapshot((SourceFile(path, len(body), body) for path, body in files.items()), Limits())
        for files in (one, two)
    )
    assert (first.revision == second.revision) == (dict(one) == dict(two))
    assert list(first.files) == sorted(one)


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d/a", "d/b"]), TARGETS | st.none(), min_size=1))
def test_links_in_a_tree_lead_where_the_kernel_would_go(tree: Mapping[str, str | None]) -> None:
    """None is a real file, text a symlink; whatever leads out of the root must be refused."""
    with tempfile.TemporaryDirectory() as outer:
        root = Path(outer, "x", "root").resolve()
        (root / "d").mkdir(parents=True)
        for path, target in tree.items():
            if target is None:
                (root / path).write_bytes(path.encode())
            else:
                (root / path).symlink_to(target)
        entries = {
            path.encode(): Entry(b"100644" if target is None else b"120000", path.encode(), 1)
            for path, target in tree.items()
        } | {b"d/keep": Entry(b"100644", b"d/keep", 0)}
        (root / "d" / "keep").touch()
        targets = {path.encode(): target.encode() for path, target in tree.items() if target is not None}
        for path in tree:
            found = Tree(entries, targets).follow(path.encode())
            real = Path(os.path.realpath(root / path))
            if isinstance(found, FileProblem):
                assert not ((root / path).is_file() and _stays(root, path))
            else:
                assert (root / path).is_file()
                assert real == root / found.blob.decode()


def _stays(root: Path, path: str) -> bool:
    """Whether the walk never leaves the root, not even to come back: on disk such a link works, in a
    repository it would depend on the name of the folder that it was checked out to.
    """
    todo, here = path.split("/"), root
    for _ in range(1000):
        if not todo:
            return True
        part = todo.pop(0)
        here = here.parent if part == ".." else here / part
        if not here.is_relative_to(root):
            return False
        if here.is_symlink():
            todo = [*here.readlink().as_posix().split("/"), *todo]
            here = here.parent
    return False
