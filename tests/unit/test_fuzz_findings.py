"""What fuzzing found, once each: none of it comes back. How it is found: tests/fuzz."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from controller.api import yamls
from controller.checking.words import MAX_WORDS
from controller.cli.failures import CommandError
from controller.cli.taskdefs import read_definition
from controller.reconciling.statuses import StatusError, checked
from controller.settings import SettingsError
from controller.settings import load as load_settings
from controller.specs.load import load
from tests.fuzz.child import shrink
from tests.fuzz.measure import measured
from tests.fuzz.mutate import Mutator
from tests.fuzz.target import MAX_INPUT, MAX_SECONDS, MIB, Target
from tests.fuzz.targets import TARGETS

BOMB = b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c, *%c]\n" % (n, n, n - 1, n - 1, n - 1) for n in range(98, 120))
MERGES = b"a: &a {k: 1}\n" + b"".join(b"%c: &%c {<<: [*%c, *%c]}\n" % (n, n, n - 1, n - 1) for n in range(98, 123))
SIXTIES = b"listen: 1" + b":59" * 80_000
DIGITS = b"9" * 4301
ROUTE = b"""apiVersion: logroute.dev/v1alpha1
kind: LogRoute
metadata: {name: %s}
spec:
  target: {taskFamilies: [x]}
  pipeline:
    filters: [{name: grep, regex: 'log %s'}]
    outputs: [{name: stdout}]
"""
FOUND: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a repeat of 4,301 digits": ("regex", lambda: b"a{2,%s}" % DIGITS),
    "a repeat from 4,301 digits": ("regex", lambda: b"(?<=a{%s})" % DIGITS),
    "a call of a group with 4,301 digits": ("regex", lambda: b"\\g<-%s>" % DIGITS),
    "a spec of many outputs without names": ("specs", lambda: many(b"    outputs:\n", b"      - {name: stdout}\n", 10_000)),
    "a spec of many unknown keys": ("specs", lambda: many(b"", b"".join(b"    key%d: x\n" % n for n in range(20_000)), 1)),
    "a spec of many unknown options": (
        "specs",
        lambda: many(b"    outputs:\n      - name: s3\n", b"".join(b"        k%d: x\n" % n for n in range(20_000)), 1),
    ),
    "settings that nest": ("settings", lambda: b"[" * 5000),
    "settings that nest beyond what libyaml bears": ("settings", lambda: b"[" * MIB),
    "settings with a date that is none": ("settings", lambda: b"a: !!timestamp x"),
    "settings with a number that is none": ("settings", lambda: b"a: !!float ''"),
    "settings of a mebibyte": ("settings", lambda: b"a: b\n" * (MIB // 5)),
    "settings of aliases of aliases": ("settings", lambda: BOMB),
    "settings of merges of merges": ("settings", lambda: MERGES),
    "settings with a number to the base of sixty": ("settings", lambda: SIXTIES),
    "a pipeline of very many sections": ("presented", lambda: b"[FILTER]\n" * (MIB // 9)),
    "an AppSpec that nests": ("appspec", lambda: b"[" * 5000),
    "an AppSpec with a number that is none": ("appspec", lambda: b"!!float"),
    "an AppSpec of a mebibyte": ("appspec", lambda: b"version: 0.0\n" * (MIB // 13)),
    "an AppSpec of aliases of aliases": ("appspec", lambda: TARGETS["appspec"].corpus[0] + BOMB),
    "an AppSpec of merges of merges": ("appspec", lambda: TARGETS["appspec"].corpus[0] + MERGES),
    "an AppSpec with a key that stands twice": (
        "appspec",
        lambda: b'{"","resources","resources":[{a: {"type":"AWS::ECS::Service","properties":{"TaskDefinition":p}}}]}',
    ),
    "an AppSpec in JSON that nests": ("appspec", lambda: b'{"a":' * 400 + b"1" + b"}" * 400),
    "a config of empty lines": ("classic", lambda: b"\n" * MIB),
    "an import of a thousand unknown plugins": ("import", lambda: b"[OUTPUT]\n    Name nope\n    Match *\n" * 1500),
    "an import of a mebibyte of sections": ("import", lambda: b"[OUTPUT]\n    Name s3\n" * (MIB // 22)),
    "an import of one long value": ("import", lambda: b"[FILTER]\n    Name modify\n    Add x " + b".\t." * (MIB // 4)),
    "an import of one long section": ("import", lambda: b"[SERVICE]\n" + b"    Flush 1\n" * 20_000),
    "a definition whose cpu is a list": ("inject", lambda: definition(b'"cpu": [[]]')),
    "a definition with a container without a name": ("inject", lambda: definition(b'"firelensConfiguration": {}, "name": null')),
    "a definition whose mount points are text": ("inject", lambda: definition(b'"mountPoints": "g", "firelensConfiguration": {}')),
    "a definition of endless memory": ("inject", lambda: definition(b'"cpu": 1', b'"memory": "1e999 GB"')),
    "a lease that nests": ("lease", lambda: b"[" * 4097),
    "a lease whose nonce is a list": ("lease", lambda: b'{"nonce": [null]}'),
    "a value of variables alone": ("values", lambda: b"^(" + b"${A}" * (MIB // 4)),
    "packfiles without an end": ("git-says", lambda: b"packfile " * 7000),
    "a URL of colons": ("git-says", lambda: b"://" + b":" * 65_000),
    "certificates without an end": ("git-says", lambda: b"unable to load ssl tls " * 2800),
    "an engine that begins many instances": ("engine-says", lambda: b"[error] " + b"[input:a:" * 100_000),
    "an engine that says many errors": ("engine-says", lambda: b"[error] [input:tcp:in] 20001 /var/log/flb\n" * 20_000),
    "a port of 4,301 digits": ("listen", lambda: b":" + DIGITS),
    "a listing of one deep path": ("git-tree", lambda: b"100644 blob %s 1\t%s\0" % (b"0" * 40, b"a/" * 500_000 + b"x.yaml")),
    "a listing of an object that is lost": ("git-tree", lambda: b"100644 blob %s BAD\tx.yaml\0" % (b"0" * 40)),
}  # fmt: skip


def many(head: bytes, unit: bytes, times: int) -> bytes:
    start, _, _ = (ROUTE % (b"a", b"^a")).partition(b"    filters:")
    return start + head + unit * times


def definition(container: bytes, more: bytes = b'"networkMode": "awsvpc"') -> bytes:
    return b'{"family": "x", %s, "containerDefinitions": [{"name": "app", %s}]}' % (more, container)


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_mended(name: str) -> None:
    target, data = FOUND[name]
    outcome = measured(TARGETS[target], data())
    assert not outcome.trouble or outcome.noise, str(outcome)


@pytest.mark.parametrize("name", TARGETS)
def test_every_input_to_begin_with_does_no_harm(name: str) -> None:
    measured(TARGETS[name], TARGETS[name].corpus[0])  # imports are no cost of an input
    for data in TARGETS[name].corpus:
        outcome = measured(TARGETS[name], data)
        assert not outcome.trouble or outcome.noise, str(outcome)


def test_a_regex_with_a_number_of_thousands_of_digits_harms_its_own_route_only() -> None:
    found = load("r", {"a.yaml": ROUTE % (b"bad", b"a{2,%s}" % DIGITS), "b.yaml": ROUTE % (b"good", b"^a")})
    assert [route.key for route in found.routes] == ["default/good"]
    assert [(one.file, one.code) for one in found.problems if one.file == "a.yaml"] == [("a.yaml", "INVALID_REGEX")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[" * 5000, "nests deeper than 50 levels"),
        (b"poll: !!timestamp x", "cannot be read"),
        (MERGES, "<< is not read here"),
        (BOMB, "with its aliases followed"),
        (b"a: b\n" * 60_000, "larger than 256 KiB"),
        (SIXTIES, "the number is too long"),
    ],
)
def test_settings_that_cannot_be_read_are_told_in_words(tmp_path: Path, text: bytes, words: str) -> None:
    (file := tmp_path / "settings.yaml").write_bytes(text)
    with pytest.raises(SettingsError, match=words):
        load_settings(file)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (definition(b'"cpu": "1"'), r"containerDefinitions\[0\].cpu must be a whole number"),
        (definition(b'"cpu": true'), r"containerDefinitions\[0\].cpu must be a whole number"),
        (definition(b'"secrets": [{"valueFrom": "x"}]'), r"containerDefinitions\[0\].secrets\[0\] has no name"),
        (definition(b'"dependsOn": [null]'), r"dependsOn\[0\] must not be null"),
        (definition(b'"dockerLabels": {"a": 1}'), "dockerLabels.a must be text"),
        (definition(b'"links": "a"'), "links must be a list"),
        (definition(b'"cpu": 1', b'"tags": ["a"]'), r"tags\[0\] must be an object"),
        (b'{"taskDefinition": 1}', "it must be an object"),
        (b"[]", "the top level must be a JSON object"),
    ],
)
def test_a_definition_of_another_shape_is_told_where(tmp_path: Path, text: bytes, words: str) -> None:
    (file := tmp_path / "td.json").write_bytes(text)
    with pytest.raises(CommandError, match=words):
        read_definition(str(file))


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ({"services": {"s": 1}}, "services.s"),
        ({"services": {"s": {"ready": True, "reason": "r"}}}, "services.s.message"),
        ({"routes": {"a/b": [{}]}}, "routes.a/b.0.reason"),
        ({"rollouts": [{"id": "i", "state": "Running", "why": ""}]}, "rollouts.0.begun"),
        ({"problems": [None]}, "problems.0"),
        ({"lostConfigs": None}, "lostConfigs"),
    ],
)
def test_a_status_with_a_row_of_another_shape_is_told(rows: dict[str, Any], where: str) -> None:
    status = {**orjson.loads(TARGETS["status"].corpus[0]), **rows}
    with pytest.raises(StatusError, match=f"s3://b/status.json is not readable: `{re.escape(where)}"):
        checked(status, "s3://b/status.json")


def test_yaml_that_holds_itself_is_plain_data() -> None:
    assert yamls.load("a: &a [1, *a]")["a"][0] == 1


def test_an_engine_s_many_errors_give_few_words() -> None:
    said = TARGETS["engine-says"].run(b"".join(b"[error] [x] number %d\n" % one for one in range(1000)))
    assert isinstance(said, tuple)
    assert said[0] == MAX_WORDS


# The harness itself


def crashing(data: bytes) -> object:
    if b"x" in data:
        raise KeyError(len(data))
    if b"y" in data:
        raise ValueError("documented")
    if b"m" in data:
        return len(bytearray(300 * 10**6))
    end = time.thread_time() + MAX_SECONDS + 0.1
    while b"s" in data and time.thread_time() < end:
        pass
    return 0


OWN = Target("own", crashing, (ValueError,), (b"a b", b"c"), (b"x",), ((b"[", b"]"),))


@pytest.mark.parametrize(("data", "trouble"), [(b"x", "crash: KeyError"), (b"y", ""), (b"", ""), (b"s", "slow")])
def test_an_outcome_tells_what_is_a_failure(data: bytes, trouble: str) -> None:
    assert measured(OWN, data).trouble == trouble


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of one input is read from /proc")
def test_memory_that_is_given_back_counts_all_the_same() -> None:
    assert measured(OWN, b"m").trouble == "large"


def test_the_same_seed_gives_the_same_inputs_none_too_large() -> None:
    def some(seed: int) -> list[bytes]:
        mutator = Mutator(OWN, Random(seed), list(OWN.corpus))  # noqa: S311 - inputs, no secrets
        return [mutator.next() for _ in range(200)]

    assert some(1) == some(1) != some(2)
    assert all(len(one) <= MAX_INPUT for one in some(1))
    assert any(len(one) == MAX_INPUT for one in some(1))


def test_a_finding_is_made_as_small_as_it_can_be(tmp_path: Path) -> None:
    (file := tmp_path / "found").write_bytes(b"a" * 500 + b"x" + b"b" * 500)
    shrink(file, lambda data: measured(OWN, data).trouble == "crash: KeyError", 5.0)
    assert file.read_bytes() == b"x"
