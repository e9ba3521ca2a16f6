"""Any config that a route can say comes back as the same sections; any tree comes back as the same data; and
nothing that is no config makes a traceback.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.fluentbit.classic import ClassicError
from controller.fluentbit.reader import from_classic
from controller.fluentbit.safety import value_trouble
from controller.fluentbit.tree import Config, Section
from controller.fluentbit.writer import to_classic
from controller.importing.lua import one_line
from controller.importing.proof import compose_alone
from controller.importing.remarks import Unimportable
from controller.importing.settling import settle
from controller.importing.tree import Element, Field, List, Map, Value, at, to_plain
from controller.importing.writer import scalar, write
from controller.specs.composing import Composed, compose
from controller.specs.plain import plain
from tests.support.imports import CUSTOM, app, from_config, imported, specs, task

WORDS = st.from_regex(r"[A-Za-z0-9_./:#%*()-]{1,12}", fullmatch=True)
TEXTS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join).filter(lambda text: value_trouble(text) is None)
PLAIN = st.from_regex(r"[A-Za-z0-9_./:#%-]{1,12}", fullmatch=True)
MATCHES = st.sampled_from([(), (("Match", "*"),), (("match", "app-firelens*"),), (("Match_Regex", "app.*"),)])
KEYS = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
FILTERS = st.one_of(
    st.lists(st.tuples(st.just("Record"), st.tuples(KEYS, TEXTS).map('{0[0]} "{0[1]}"'.format)), min_size=1).map(
        lambda entries: (("Name", "record_modifier"), *entries[:3])
    ),
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["Add", "set", "Rename", "Copy"]), st.tuples(KEYS, PLAIN).map(" ".join)),
            st.tuples(st.just("Remove"), KEYS),
        ),
        min_size=1,
        max_size=5,
    ).map(lambda entries: (("Name", "modify"), *entries)),
    st.lists(st.tuples(st.sampled_from(["Regex", "Exclude"]), st.just("log ^a.*b$")), min_size=1, max_size=3).map(
        lambda entries: (("Name", "grep"), *entries)
    ),
)
OUTPUTS = st.tuples(WORDS, WORDS).map(
    lambda words: (("Name", "s3"), ("bucket", words[0]), ("Region", "eu-west-1"), ("s3_key_format", f"/{words[1]}"))
)


def sections(kind: str, bodies: st.SearchStrategy[Any]) -> st.SearchStrategy[Section]:
    return st.builds(lambda body, match: Section(kind, (*body, *match)), bodies, MATCHES)


CONFIGS = st.tuples(
    st.lists(sections("FILTER", FILTERS), max_size=4), st.lists(sections("OUTPUT", OUTPUTS), min_size=1, max_size=3)
).flatmap(lambda both: st.permutations([*both[0], *both[1]]))
SCOPE = {"match", "match_regex", "alias"}
ADDED = {"retry_limit", "store_dir"}
"""No config here says how often an output tries again, and where outputs to one bucket keep their files."""


def flattened(some: list[Section], kind: str) -> list[tuple[str, str]]:
    """The entries of all sections of a kind in order: `modify` may be cut in two, and does the same."""
    found: list[tuple[str, str]] = []
    for section in some:
        if section.name != kind:
            continue
        entries = [(key.lower(), value) for key, value in section.entries if key.lower() not in SCOPE]
        ordered = entries if entries[0][1] == "modify" else sorted(entries)
        found += [pair for pair in ordered if pair != ("name", "modify")]
    return found


@settings(max_examples=60, deadline=None)
@given(CONFIGS)
def test_an_imported_config_gives_the_same_sections_when_it_is_composed(parts: list[Section]) -> None:
    result = from_config(to_classic(Config(tuple(parts))).decode())
    assert [str(one) for one in result.remarks if one.lost] == []
    [route] = specs(result).routes
    desired = compose_alone(route, result.plain, "eu-west-1")
    got = list(from_classic(desired.configs[0].body).sections)
    for kind in ("FILTER", "OUTPUT"):
        assert [one for one in flattened(got, kind) if one[0] not in ADDED] == flattened(parts, kind)


OPTIONS = st.fixed_dictionaries(
    {"Name": st.just("s3"), "bucket": WORDS, "Region": st.just("eu-west-1")},
    optional={
        "include-pattern": PLAIN,
        "exclude-pattern": PLAIN,
        "log-driver-buffer-limit": st.just("4096"),
        "s3_key_format": WORDS.map("/{}".format),
    },
)
APPS = st.lists(st.tuples(st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True), OPTIONS), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None)
@given(APPS.map(lambda some: list(dict(some).items())))
def test_log_options_give_the_sections_that_the_agent_would_write(some: list[tuple[str, dict[str, str]]]) -> None:
    result = imported(task(*(app(name, options) for name, options in some)))
    assert [str(one) for one in result.remarks if one.lost] == []
    [route] = specs(result).routes
    read = from_classic(compose_alone(route, result.plain, "eu-west-1").configs[0].body)
    got = [{key: value for key, value in one.entries if key not in {"alias", *ADDED}} for one in read.sections]
    ours = ("include-pattern", "exclude-pattern", "log-driver-buffer-limit")
    greps = [("include-pattern", "regex"), ("exclude-pattern", "exclude")]
    assert got[1:] == [
        *(
            {"name": "grep", "match": f"{name}-firelens*", key: f"log {options[option]}"}
            for option, key in greps
            for name, options in some
            if option in options
        ),
        *(
            {"match": f"{name}-firelens*", **{key.lower(): text for key, text in options.items() if key not in ours}}
            for name, options in some
        ),
    ]


SCALARS = st.one_of(st.text(max_size=20), st.sampled_from(["", "null", "~", "On", "1.10", "# x", "a: b", "- a", "!x", "&a", "*a", "'", '"', "%", "@", "`", "{", "[", ",", "?", ":", "=", "<<", "---", "..."])).filter(lambda text: text.isprintable())  # fmt: skip
COMMENTS = st.lists(st.text(max_size=20), max_size=2).map(tuple)


def values(children: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    fields = st.lists(st.builds(Field, SCALARS, children, COMMENTS), max_size=4, unique_by=lambda one: one.key)
    elements = st.lists(st.builds(Element, children, COMMENTS), max_size=4)
    maps = st.builds(Map, fields.map(tuple), COMMENTS)
    return st.one_of(maps, st.builds(List, elements.map(tuple), COMMENTS))


NODES = st.recursive(SCALARS, values, max_leaves=12)
FIELDS = st.lists(st.builds(Field, SCALARS, NODES, COMMENTS), min_size=1, max_size=4, unique_by=lambda one: one.key)
TREES = st.builds(Map, FIELDS.map(tuple), COMMENTS)


@settings(deadline=None)
@given(TREES)
def test_a_written_tree_reads_back_as_the_same_data(tree: Map) -> None:
    text = write([tree], ["head"]).text.encode()
    [document] = [one for one in compose(text) if isinstance(one, Composed)]
    data, problems = plain(document, aliases=False)
    assert problems == []
    assert data == to_plain(tree)


@settings(deadline=None)
@given(TREES)
def test_every_line_of_a_written_tree_knows_its_path(tree: Map) -> None:
    written = write([tree])
    for line, (document, path) in written.paths.items():
        found = at(tree, path)
        assert document == 0
        assert found is not None
        if isinstance(found, Field):
            assert f"{scalar(found.key)}:" in written.lines[line - 1]


HOSTILE = st.lists(
    st.sampled_from(
        ["[OUTPUT]\n", "[FILTER]\n", "[SERVICE]\n", "[PARSER]\n", "[MULTILINE_PARSER]\n", "    Name s3\n", "    name modify\n",
         "    Match *\n", '    rule "a" "b\n', "    rule x\n", "    Regex log ${\n", "    bucket ${A}}\n", "    alias \u00e4\n",
         "@SET A=${B}\n", "@SET =\n", "@SET x\n", "\t", "    ", "\n", "    k\n", "    flush x\n", "    apikey s\n", "[]\n", "# c\n",
         "    header Authorization\n", "    storage.type filesystem\n", "    unix_path /var/run/fluent.sock\n", "    name forward\n"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(HOSTILE)
def test_a_config_is_imported_or_told_what_is_wrong_with_it(text: str) -> None:
    try:
        result = from_config(text)
    except (ClassicError, Unimportable):
        return
    assert result.problems or specs(result).routes


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 9), st.sampled_from(["", "x", "s3", "true"])),
    lambda children: st.one_of(
        st.lists(children, max_size=2), st.dictionaries(st.sampled_from("ab"), children, max_size=2)
    ),
    max_leaves=4,
)
PLACES = ["environment", "secrets", "dependsOn", "mountPoints", "logConfiguration", "firelensConfiguration", "image", "cpu",
          "healthCheck", "dockerLabels", "ulimits", "links", "name", "memory", "memoryReservation", "user", "essential"]  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(PLACES), JSON, st.booleans())
def test_an_odd_definition_is_imported_or_told_what_is_wrong_with_it(place: str, value: Any, router: bool) -> None:
    body = task(app(options={"Name": "stdout"}), options=CUSTOM)
    body["containerDefinitions"][0 if router else 1][place] = value
    try:
        result = imported(body, {"/extra.conf": ""})
    except Unimportable:
        return
    assert result.problems or specs(result).routes


TOKENS = st.lists(
    st.sampled_from(["local", "x", "=", "t", "'a  \\\\' ", '"\\"--"', "..", "2", "-", "[", "]", "(", ")", "end"]).map(str.strip),
    min_size=1,
)  # fmt: skip
GAPS = st.text(" \t\r\n", min_size=1, max_size=3)


@given(TOKENS, st.data())
def test_a_script_is_the_same_on_one_line_however_its_words_stand(tokens: list[str], data: st.DataObject) -> None:
    spread = "".join(f"{token}{data.draw(GAPS)}" for token in tokens)
    assert one_line(spread.encode()) == (" ".join(tokens), "")


@given(st.one_of(st.binary(max_size=40), st.text("'\"\\\\[]=-# \n\ta", max_size=20).map(str.encode)))
def test_any_script_is_one_line_that_a_config_can_hold_or_told_why_not(script: bytes) -> None:
    code, trouble = one_line(script)
    assert trouble or (value_trouble(code) is None and code == one_line(code.encode())[0])


def test_settling_ends() -> None:
    """A document that can never be valid is told as it is."""
    nothing = Map((Field("apiVersion", "x"),))
    assert settle((nothing, nothing), ()).left
