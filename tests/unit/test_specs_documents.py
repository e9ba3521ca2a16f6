"""Documents against their models: every error in words for people, at its place."""

from __future__ import annotations

import pytest

from tests.unit.specs_support import HEAD, codes, one, read, route, router_class, told


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("kind: LogRoute\nmetadata: {name: a}\n", "MISSING_API_VERSION", 1, 1),
        ("apiVersion: logroute.dev/v1\nkind: LogRoute\nmetadata: {name: a}\n", "UNKNOWN_API_VERSION", 1, 13),
        (HEAD + "metadata: {name: a}\n", "MISSING_KIND", 1, 1),
        (HEAD + "kind: LogRoutes\nmetadata: {name: a}\n", "UNKNOWN_KIND", 2, 7),
    ],
)
def test_the_head_of_a_document_is_checked_first(text: str, code: str, line: int, column: int) -> None:
    found = read(text)
    assert (code, "0.yaml", line, column) in told(found)
    assert found.invalid == {"default/a"}


def test_an_unknown_kind_gets_the_nearest() -> None:
    found = read(HEAD + "kind: Logroute\nmetadata: {name: a}\n")
    assert found.problems[0].hint == 'did you mean "LogRoute"?'


def test_a_document_of_another_program_does_not_take_a_routes_name() -> None:
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: httpd, namespace: web}\n"
    found = read(route(), other)
    assert [one.key for one in found.routes] == ["web/httpd"]
    assert not found.invalid


def test_an_unknown_key_gets_the_nearest_known_one() -> None:
    found = read(route(spec="supsend: true"))
    assert told(found) == [("UNKNOWN_KEY", "0.yaml", 6, 3)]
    assert found.problems[0].hint == 'did you mean "suspend"?'


def test_keys_in_snake_case_are_unknown() -> None:
    found = read(route(spec="deletion_policy: orphan"))
    assert found.problems[0].hint == 'did you mean "deletionPolicy"?'


@pytest.mark.parametrize("key", ["processors", "env", "includes", "customs", "pipeline"])
def test_what_classic_config_cannot_say_is_refused_with_its_reason(key: str) -> None:
    found = read(route(pipeline=f"{key}: {{}}"))
    (problem,) = found.problems
    assert (problem.code, problem.line, problem.column) == ("REFUSED_KEY", 7, 5)
    assert problem.hint


@pytest.mark.parametrize("value", ["1", "0", "t", "y", "maybe", "[]", '""'])
def test_booleans_are_words(value: str) -> None:
    assert codes(route(spec=f"suspend: {value}")) == ["INVALID_VALUE"]


@pytest.mark.parametrize("value", ["true", "True", "yes", "on", '"true"'])
def test_booleans_are_yaml_1_1s_words(value: str) -> None:
    assert one(route(spec=f"suspend: {value}")).document.spec.suspend is True


@pytest.mark.parametrize("value", ["1.0", "1_000", "0x10", "010", "1e3", '" 1"', "one", "٣", "9" * 40])
def test_numbers_are_plain_decimal_digits(value: str) -> None:
    assert codes(route(spec=f"priority: {value}")) == ["INVALID_VALUE"]


@pytest.mark.parametrize(("value", "number"), [("0", 0), ("-5", -5), ('"7"', 7)])
def test_numbers_may_be_quoted(value: str, number: int) -> None:
    assert one(route(spec=f"priority: {value}")).document.spec.priority == number


def test_values_keep_their_source_text() -> None:
    outputs = "[{name: http, host: 1.10, port: 8080, uri: 012345, tls: On, allow_duplicated_headers: off}]"
    section = one(route(outputs=outputs)).outputs[0]
    assert (section["host"], section["uri"], section["tls"]) == ("1.10", "012345", "On")


@pytest.mark.parametrize(
    ("spec", "code", "says"),
    [
        ("mode: enforc", "INVALID_VALUE", "enforce"),
        ("target: []", "DUPLICATE_KEY", ""),
        ("router: {cpu: -1}", "INVALID_VALUE", "at least 0"),
        ("router: {image: x}", "UNKNOWN_KEY", "memoryReservation"),
        ("rollout: {batch: 0%}", "INVALID_VALUE", "10%"),
        ("rollout: {timeout: soon}", "INVALID_VALUE", "15m"),
        (f"rollout: {{timeout: {'9' * 400}d}}", "INVALID_VALUE", "15m"),
        ("logGroups: [{name: /a, retentionDays: 2}]", "INVALID_VALUE", "365"),
        ("logGroups: {name: /a}", "WRONG_TYPE", "a list"),
        ("router: [a]", "WRONG_TYPE", "a mapping"),
        ("ignore: [container]", "INVALID_VALUE", "/container/memoryReservation"),
        ("secrets: {1X: arn:aws:ssm:eu-west-1:1:parameter/x}", "INVALID_VALUE", "environment name"),
    ],
)
def test_each_kind_of_error_says_what_is_expected(spec: str, code: str, says: str) -> None:
    problems = [one for one in read(route(spec=spec)).problems if one.code == code]
    assert problems
    assert says in f"{problems[0].message} {problems[0].hint}"


def test_no_problem_speaks_pydantic() -> None:
    spec = "mode: x\nsuspend: x\npriority: x\nrouter: x\nlogGroups: x\nsecrets: x\nignore: x\nrollout: {batch: x}"
    for problem in read(route(spec=spec, outputs="x", pipeline="inputs: x\nservice: x")).problems:
        words = f"{problem.message} {problem.hint}".lower()
        assert not any(jargon in words for jargon in ("pydantic", "input should", "http", "literal", "dict", "tuple"))


def test_a_secret_in_the_wrong_place_is_not_repeated() -> None:
    found = read(
        route(spec="secrets: {KEY: hunter2-hunter2}", outputs="[{name: datadog, apikey: hunter2-hunter2}]"),
        router_class(spec="container: {environment: [{name: A, value: {hunter2-hunter2: x}}]}"),
    )
    assert found.problems
    assert "hunter2" not in "".join(map(str, found.problems))


def test_a_target_must_select_something() -> None:
    text = route().replace("{cluster: main, services: [app]}", "{region: eu-west-1}")
    (problem,) = read(text).problems
    assert "nothing is targeted" in problem.message
    assert (problem.line, problem.column) == (5, 11)


def test_a_missing_key_points_at_its_parent() -> None:
    text = HEAD + "kind: LogRoute\nmetadata: {name: a}\nspec:\n  target: {taskFamilies: [x]}\n"
    (problem,) = read(text).problems
    assert (problem.code, problem.line, problem.column) == ("MISSING_KEY", 4, 1)


def test_owned_parts_of_the_router_container_are_refused() -> None:
    for field in ("command: [x]", "entryPoint: [x]", "firelensConfiguration: {type: fluentbit}", "dependsOn: []"):
        assert codes(router_class(spec=f"container: {{{field}}}")) == ["REFUSED_KEY"]


def test_a_route_without_a_usable_name_makes_its_file_unreadable() -> None:
    for metadata in ("{}", "{name: Not_A_Label}", "{name: [a]}", "x"):
        text = HEAD + f"kind: LogRoute\nmetadata: {metadata}\nspec: {{}}\n"
        assert read(text).unreadable == {"0.yaml"}
