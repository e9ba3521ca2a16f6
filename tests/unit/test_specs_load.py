"""Loading again: unchanged is no work, memory reads back as it was, sources' own troubles are problems."""

from __future__ import annotations

from controller.api.problems import Problem, Severity
from controller.sources.snapshot import Limits, Snapshot, SourceFile, make_snapshot, too_large
from controller.specs.load import Loader, load, reread
from tests.unit.specs_support import one, output, read, route, router_class


def files(**texts: str) -> dict[str, bytes]:
    return {f"{name}.yaml": text.encode() for name, text in texts.items()}


def test_unchanged_files_are_not_parsed_again() -> None:
    loader = Loader()
    loader.load_files("r1", files(a=route("a"), b=route("b")))
    loader.load_files("r2", files(a=route("a"), b=route("b"), c=route("c")))
    assert loader.parsed == 3


def test_a_file_that_moved_is_not_parsed_again_and_is_told_by_its_new_name() -> None:
    loader = Loader()
    loader.load_files("r1", files(a=route()))
    moved = loader.load_files("r2", files(b=route()))
    assert loader.parsed == 1
    assert moved.routes[0].file == "b.yaml"


def test_unchanged_routes_are_the_same_objects() -> None:
    loader = Loader()
    before = loader.load_files("r1", files(a=route("a"), b=route("b")))
    after = loader.load_files("r2", files(a=route("a"), b=route("b", spec="mode: warn")))
    assert after.routes[0] is before.routes[0]
    assert after.routes[1].document.spec.mode == "warn"


def test_what_a_route_refers_to_changes_the_route() -> None:
    loader, text = Loader(), route(outputs="[{ref: archive}]", spec="routerClass: c")
    shared, classy = output(), router_class("c")
    first = loader.load_files("r1", files(a=text, o=shared, c=classy)).routes[0]
    second = loader.load_files("r2", files(a=text, o=output(options="name: s3, bucket: new"), c=classy)).routes[0]
    third = loader.load_files("r3", files(a=text, o=shared, c=router_class("c", "growTask: true"))).routes[0]
    assert second.outputs[0]["bucket"] == "new"
    assert third.router.grow_task
    assert len({first.digest, second.digest, third.digest}) == 3


def test_a_class_that_appears_or_goes_changes_its_routes() -> None:
    loader = Loader()
    loader.load_files("r1", files(a=route()))
    with_class = loader.load_files("r2", files(a=route(), c=router_class(spec="growTask: true")))
    without = loader.load_files("r3", files(a=route()))
    assert with_class.routes[0].router.grow_task
    assert not without.routes[0].router.grow_task


def test_a_loader_with_a_past_says_what_a_new_one_says() -> None:
    loader, shared = Loader(), output()
    user = route(outputs="[{ref: archive}]")
    for change in (
        files(a=user, o=shared),
        files(a=user),
        files(a=user, o=shared, p=shared),
        files(a=user, o=output(options="name: s4")),
        files(a=user, b=user, o=shared),
        files(a=user + "---\nbroken: [", o=shared),
        files(a=user, o=shared),
    ):
        assert loader.load_files("r", change) == load("r", change)


def test_the_digest_ignores_comments_and_the_order_of_keys() -> None:
    plain = one(route(outputs="[{name: s3, bucket: b, region: r}]"))
    other = one("# moved\n" + route(outputs="[{region: r, name: s3, bucket: b}]"))
    assert plain.digest == other.digest


def test_a_route_is_made_again_from_what_it_was_made_from() -> None:
    texts = (
        route(outputs="[{ref: archive}, {ref: archive, alias: again}]", spec="routerClass: c"),
        output(),
        router_class("c", "service: {grace: 7}"),
    )
    before = one(*texts)
    after = reread(before.made_from, before.file)
    assert after == before
    assert after is not None
    assert (after.digest, after.file, after.made_from) == (before.digest, before.file, before.made_from)


def test_a_memory_that_cannot_be_read_is_none() -> None:
    assert reread((), "a.yaml") is None
    assert reread(({"kind": "LogRoute", "metadata": {"name": "a"}},), "a.yaml") is None
    assert reread(({"kind": "Other"}, {}), "a.yaml") is None
    (document,) = one(route()).made_from
    document["spec"]["pipeline"]["outputs"] = [{"name": "gone"}]
    assert reread((document,), "a.yaml") is None


def test_a_snapshot_is_loaded_with_its_own_troubles() -> None:
    limits = Limits(max_file_bytes=10_000)
    good = SourceFile("good.yaml", 1, route().encode())
    snapshot: Snapshot = make_snapshot([good, too_large("big.yaml", 99_999, limits)], limits, revision="abc")
    found = Loader().load(snapshot)
    assert (found.revision, [one.key for one in found.routes]) == ("abc", ["web/httpd"])
    assert [(problem.file, problem.code) for problem in found.problems] == [("big.yaml", "FILE_TOO_LARGE")]
    assert found.unreadable == {"big.yaml"}


def test_a_file_that_was_not_read_is_unreadable() -> None:
    trouble = Problem("x.yaml", 0, 0, "LINK_BROKEN", Severity.ERROR, "…")
    assert load("r", {}, [trouble]).unreadable == {"x.yaml"}


def test_a_broken_route_harms_no_other() -> None:
    found = read(route("a"), route("b", outputs="[{name: nope}]"), route("c"))
    assert [one.key for one in found.routes] == ["web/a", "web/c"]
    assert found.invalid == {"web/b"}
    assert not found.unreadable


def test_problems_come_by_file_and_line() -> None:
    found = read(b=route("b", spec="x: 1\ny: 2"), a=route("a", spec="z: 3"))
    assert [(problem.file, problem.line) for problem in found.problems] == [("a.yaml", 6), ("b.yaml", 6), ("b.yaml", 7)]
