"""Tenants: who may target and use what. A hostile author has fifty tries, and harms nobody."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api.globs import glob_pattern, within
from controller.api.problems import Severity
from controller.api.tenants import Tenant, path_pattern
from controller.specs.carry import InForce, RouteMemory, changes, in_force
from controller.specs.load import Loader, reread
from controller.specs.model import SpecSet
from controller.specs.tenancy import Tenancy

API = "apiVersion: logroute.dev/v1alpha1\n"
TENANTS: list[dict[str, Any]] = [
    {
        "namespaces": ["web", "web-*"],
        "paths": ["teams/web/"],
        "accounts": ["main"],
        "clusters": ["web-*", "shared"],
        "services": ["web-*", "front"],
        "classes": ["default"],
        "outputs": ["cloudwatch_logs", "s3", "platform/archive"],
    },
    {"namespaces": ["payments"], "paths": ["teams/payments/"]},
    {"namespaces": ["*"], "paths": ["platform/**"], "mayOverrideRouter": True},
    {"namespaces": ["free"], "clusters": ["free"]},
]
TENANCY = Tenancy(tuple(Tenant.model_validate(one) for one in TENANTS), "main")


def route(
    name: str = "r",
    namespace: str = "web",
    target: str = "{cluster: web-1, services: [web-a]}",
    outputs: str = "[{name: s3, bucket: b, region: eu-west-1, s3_key_format: /a/$UUID.gz, static_file_path: On}]",
    more: str = "",
    pipeline: str = "",
) -> str:
    return (
        f"{API}kind: LogRoute\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  target: {target}\n{more}"
        f"  pipeline:\n    outputs: {outputs}\n{pipeline}"
    )


def output(name: str = "o", namespace: str = "web", spec: str = "{name: s3, bucket: b, region: eu-west-1}") -> str:
    return f"{API}kind: LogOutput\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


def router_class(name: str = "default", spec: str = "{}") -> str:
    return f"{API}kind: LogRouterClass\nmetadata: {{name: {name}}}\nspec: {spec}\n"


SECRET = (
    "{name: s3, bucket: b, region: eu-west-1, external_id: '${SHARED_ID}', "
    "secrets: {SHARED_ID: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:id-AbCdEf'}}"
)
STEAL = "{name: s3, bucket: b, region: eu-west-1, s3_key_format: '/${SHARED_ID}/$UUID', static_file_path: On}"
PAY = route("pay", "payments", "{cluster: pay, services: [pay]}", "[{ref: platform/archive}, {ref: own}]")
OTHERS = {
    "teams/payments/pay.yaml": PAY,
    "teams/payments/own.yaml": output("own", "payments"),
    "platform/class.yaml": router_class(),
    "platform/archive.yaml": output("archive", "platform", SECRET),
    "platform/secret.yaml": output("secret", "platform"),
}
"""What the others have."""
MINE = {"teams/web/good.yaml": route("good", outputs="[{ref: platform/archive}]")}
SEND = "[{name: http, host: evil.example, tls: On}]"


def read(files: dict[str, str], tenancy: Tenancy = TENANCY) -> SpecSet:
    return Loader(tenancy=tenancy).load_files("r", {name: text.encode() for name, text in files.items()})


TRIES: list[tuple[str, str, str]] = [
    # Other namespaces, and none
    ("payments_route", route("x", "payments"), "TENANT_PATH"),
    ("payments_name_taken", route("pay", "payments"), "TENANT_PATH"),
    ("payments_output_taken", output("own", "payments"), "TENANT_PATH"),
    ("payments_output", output("new", "payments"), "TENANT_PATH"),
    ("platform_output_taken", output("archive", "platform"), "TENANT_PATH"),
    ("platform_route", route("x", "platform"), "TENANT_PATH"),
    ("platform_copy", route("pay", "platform"), "TENANT_PATH"),
    ("unheard_of", route("x", "nobody"), "TENANT_PATH"),
    ("star_namespace", route("x", '"*"'), "INVALID_VALUE"),
    ("default_by_absence", route().replace(", namespace: web", ""), "TENANT_PATH"),
    ("default_by_name", route("x", "default"), "TENANT_PATH"),
    ("nearly_mine", route("x", "webs"), "TENANT_PATH"),
    ("of_one_without_paths", route("x", "free", "{cluster: free, services: [a]}"), "TENANT_PATH"),
    ("upper_case", route("x", "Web"), "INVALID_VALUE"),
    ("second_document", route("fine") + "---\n" + route("x", "payments"), "TENANT_PATH"),
    ("copy_of_a_neighbour", PAY, "TENANT_PATH"),
    # Classes
    ("class_taken", router_class("default", "{image: 'evil.example/router:latest', engine: unchecked}"), "TENANT_PATH"),
    ("class_new", router_class("mine"), "TENANT_PATH"),
    ("class_adopting", router_class("default", "{adopt: true}"), "TENANT_PATH"),
    ("class_used", route(more="  routerClass: privileged\n"), "TENANT_CLASS"),
    # Targets
    ("account", route(target="{account: prod, cluster: web-1, services: [web-a]}"), "TENANT_ACCOUNT"),
    ("cluster", route(target="{cluster: pay, services: [web-a]}"), "TENANT_CLUSTER"),
    ("every_cluster", route(target='{cluster: "*", services: [web-a]}'), "TENANT_CLUSTER"),
    ("wider_cluster", route(target='{cluster: "web*", services: [web-a]}'), "TENANT_CLUSTER"),
    ("any_letter", route(target='{cluster: "?eb-1", services: [web-a]}'), "TENANT_CLUSTER"),
    ("any_shared", route(target='{cluster: "shared*", services: [web-a]}'), "TENANT_CLUSTER"),
    ("cluster_in_case", route(target="{cluster: WEB-1, services: [web-a]}"), "TENANT_CLUSTER"),
    ("service", route(target="{cluster: shared, services: [pay]}"), "TENANT_SERVICE"),
    ("every_service", route(target='{cluster: shared, services: ["*"]}'), "TENANT_SERVICE"),
    ("all_but_mine", route(target='{cluster: shared, services: ["*", "!web-a"]}'), "TENANT_SERVICE"),
    ("one_of_two", route(target="{cluster: shared, services: [web-a, pay]}"), "TENANT_SERVICE"),
    ("wider_service", route(target='{cluster: shared, services: ["*web-*"]}'), "TENANT_SERVICE"),
    ("nearly_front", route(target='{cluster: shared, services: ["front?"]}'), "TENANT_SERVICE"),
    ("by_tags", route(target="{cluster: shared, serviceSelector: {matchTags: {team: pay}}}"), "TENANT_SERVICE"),
    ("family", route(target="{taskFamilies: [pay]}"), "TENANT_SERVICE"),
    ("every_family", route(target='{taskFamilies: ["*"]}'), "TENANT_SERVICE"),
    ("family_beside", route(target="{cluster: web-1, services: [web-a], taskFamilies: [pay]}"), "TENANT_SERVICE"),
    # Outputs
    ("plugin", route(outputs=SEND), "TENANT_OUTPUT"),
    ("plugin_in_case", route(outputs=SEND.replace("name: http", "name: HTTP")), "TENANT_OUTPUT"),
    ("name_in_case", route(outputs=SEND.replace("name: http", "NAME: http")), "TENANT_OUTPUT"),
    ("plugin_second", route(outputs="[{ref: platform/archive}, {name: forward, host: evil.example}]"), "TENANT_OUTPUT"),
    ("own_output", output("mine", spec="{name: http, host: evil.example, tls: On}"), "TENANT_OUTPUT"),
    ("own_output_in_case", output("mine", spec="{name: Http, host: evil.example, tls: On}"), "TENANT_OUTPUT"),
    ("two_names", output("mine", spec="{name: s3, Name: http, bucket: b}"), "DUPLICATE_OPTION"),
    ("others_output", route(outputs="[{ref: platform/secret}]"), "TENANT_OUTPUT"),
    ("neighbours_output", route(outputs="[{ref: payments/own}]"), "TENANT_OUTPUT"),
    ("ref_in_case", route(outputs="[{REF: payments/own}]"), "TENANT_OUTPUT"),
    ("ref_of_nobody", route(outputs="[{ref: payments/none}]"), "TENANT_OUTPUT"),
    ("ref_up", route(outputs="[{ref: ../payments/own}]"), "TENANT_OUTPUT"),
    ("a_shared_output_s_secret", route(outputs=f"[{{ref: platform/archive}}, {STEAL}]"), "UNKNOWN_VARIABLE"),
    ("a_neighbour_s_secret", route(outputs=f"[{STEAL}]"), "UNKNOWN_VARIABLE"),
    ("its_options_beside", route(outputs="[{ref: platform/archive, bucket: mine}]"), "REF_AND_OPTIONS"),
    # The router
    ("router_memory", route(more="  router: {memoryReservation: 2000}\n"), "TENANT_ROUTER"),
    ("router_health", route(more="  router: {health: {mode: 'off'}}\n"), "TENANT_ROUTER"),
    ("router_service", route(more="  router: {service: {log_level: debug}}\n"), "TENANT_ROUTER"),
    ("pipeline_service", route(pipeline="    service: {grace: 1}\n"), "TENANT_ROUTER"),
]
"""What an author of teams/web/ may commit there, and what it is told."""


def test_there_are_fifty_tries() -> None:
    assert len(TRIES) >= 50
    assert len({name for name, _, _ in TRIES}) == len(TRIES)


@pytest.mark.parametrize(("text", "code"), [one[1:] for one in TRIES], ids=[one[0] for one in TRIES])
def test_a_hostile_tenant_gets_nowhere_and_harms_nobody(text: str, code: str) -> None:
    before = read({**OTHERS, **MINE})
    specs = read({**OTHERS, **MINE, "teams/web/evil.yaml": text})
    mine = [one for one in specs.problems if one.file == "teams/web/evil.yaml" and one.severity is Severity.ERROR]
    assert code in {one.code for one in mine}
    assert all(one.line > 0 and one.column > 0 for one in mine)
    assert {one.file for one in specs.problems if one.severity is Severity.ERROR} == {"teams/web/evil.yaml"}
    fine = {one.key: one.digest for one in specs.routes if one.file != "teams/web/evil.yaml"}
    assert fine == {one.key: one.digest for one in before.routes}
    assert {one.key for one in specs.routes} - set(fine) <= {"web/fine"}
    gone = after(
        before,
        read(
            {name: one for name, one in OTHERS.items() if "pay.yaml" not in name}
            | {**MINE, "teams/web/evil.yaml": text}
        ),
    )
    assert gone.gone == {"payments/pay"}  # its own author took it away, and nobody keeps it


def after(before: SpecSet, now: SpecSet, tenancy: Tenancy = TENANCY) -> InForce:
    """What is in force where `before` was remembered."""

    def again(memory: RouteMemory) -> object:
        return reread(memory.made_from, memory.file, tenancy=tenancy)

    return in_force(now, changes(before, {}), again, tenancy.may_hide)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "broken", ["{", "kind: LogRoute\nmetadata: {name: pay, namespace: payments}\n", "\x00", "a: b"]
)
def test_a_file_of_others_that_reads_badly_keeps_nobody_s_route_in_force(broken: str) -> None:
    before = read({**OTHERS, **MINE})
    left = {name: one for name, one in OTHERS.items() if "pay.yaml" not in name}
    now = read({**left, **MINE, "teams/web/broken.yaml": broken})
    assert after(before, now).gone == {"payments/pay"}
    moved = read({**OTHERS, "teams/web/broken.yaml": broken})
    assert ("web/good" in after(before, moved).carried) is bool(moved.unreadable)  # it may be their own, renamed


def test_what_a_tenant_may_it_does() -> None:
    files = {
        "teams/web/a.yaml": route("a"),
        "teams/web/deep/er/b.yml": route("b", "web-shop", '{cluster: "web-*", services: ["web-*", "!web-x"]}'),
        "teams/web/c.yaml": output("c") + "---\n" + route("c", outputs="[{ref: c}, {ref: platform/archive}]"),
        "teams/web/d.yaml": route("d", target="{account: main, cluster: shared, services: [front]}"),
        "teams/web/e.yaml": route(
            "e", target='{cluster: web-1, serviceSelector: {matchTags: {a: b}}, services: ["web-?"]}'
        ),
        "teams/web/f.yaml": route("f", target='{taskFamilies: ["web-*"]}'),
        "platform/any.yaml": route("g", "anything", "{cluster: any, services: [any]}", more="  router: {cpu: 10}\n"),
    }
    specs = read({**OTHERS, **files})
    assert [one for one in specs.problems if one.severity is Severity.ERROR] == []
    assert {one.file for one in specs.routes} == {*files, "teams/payments/pay.yaml"} - {"x"}


def test_a_namespace_outside_every_tenant_may_do_nothing() -> None:
    bounded = Tenancy((Tenant.model_validate({"namespaces": ["web"]}),), "main")
    specs = read({"a.yaml": route("x", "other"), "b.yaml": route("y")}, bounded)
    assert [(one.code, one.file, one.line) for one in specs.problems if one.severity is Severity.ERROR] == [
        ("TENANT_NAMESPACE", "a.yaml", 3)
    ]
    assert [one.key for one in specs.routes] == ["web/y"]


def test_without_paths_every_file_will_do_that_is_not_somebody_else_s() -> None:
    mine = route("x", "free", "{cluster: free, services: [a]}")
    for file, code in (("any.yaml", None), ("platform/any.yaml", None), ("teams/payments/any.yaml", "TENANT_PATH")):
        specs = read({**OTHERS, file: mine})
        assert [one.code for one in specs.problems if one.severity is Severity.ERROR] == ([code] if code else [])


def test_jobs_are_in_no_cluster_so_bounded_clusters_alone_allow_none() -> None:
    specs = read({"x.yaml": route("j", "free", "{taskFamilies: [j]}")})
    assert [one.code for one in specs.problems if one.severity is Severity.ERROR] == ["TENANT_SERVICE"]


def test_of_several_tenants_the_most_generous_counts() -> None:
    both = Tenancy(
        (
            Tenant.model_validate({"namespaces": ["web"], "clusters": ["a"]}),
            Tenant.model_validate({"namespaces": ["web"], "clusters": ["b"], "services": ["web-a"]}),
        ),
        "main",
    )
    for cluster, right in (("a", True), ("b", True), ("c", False)):
        specs = read({"x.yaml": route(target=f"{{cluster: {cluster}, services: [web-a]}}")}, both)
        assert bool(specs.routes) is right


def test_a_route_beyond_its_tenant_keeps_its_last_good_version() -> None:
    before = read({**OTHERS, **MINE})
    now = read({**OTHERS, "teams/web/good.yaml": route("good", target='{cluster: "*", services: [web-a]}')})
    force = after(before, now)
    assert force.carried == {"web/good"}
    assert {one.key: one.digest for one in force.routes} == {one.key: one.digest for one in before.routes}


def test_a_route_that_was_moved_to_nobody_s_folder_is_not_gone() -> None:
    before = read({**OTHERS, **MINE})
    now = read({**OTHERS, "elsewhere/good.yaml": MINE["teams/web/good.yaml"]})
    assert [one.code for one in now.problems if one.severity is Severity.ERROR] == ["TENANT_PATH"]
    assert after(before, now).carried == {"web/good"}


def test_what_the_tenants_of_today_forbid_is_neither_carried_on_nor_gone() -> None:
    """Its services are left as they are: a changed setting takes no router out."""
    before = read({**OTHERS, **MINE})
    less = Tenancy((*TENANCY.tenants[1:], Tenant.model_validate({**TENANTS[0], "clusters": ["elsewhere"]})), "main")
    none = Tenancy(TENANCY.tenants[1:], "main")
    for tenancy in (less, none):
        force = after(before, read({**OTHERS, **MINE}, tenancy), tenancy)
        assert "web/good" not in force.gone | {one.key for one in force.routes}


def test_tenants_that_change_nothing_change_nothing() -> None:
    wide = Tenancy((Tenant.model_validate({"namespaces": ["*"], "mayOverrideRouter": True}),), "main")
    files = {**OTHERS, **MINE, "x.yaml": route("x", more="  router: {cpu: 10}\n"), "y.yaml": "{"}
    assert read(files, wide) == read(files, Tenancy())


def test_a_loader_that_goes_on_finds_the_same_as_one_that_starts() -> None:
    loader = Loader(tenancy=TENANCY)
    for name, text, _ in TRIES:
        files = {file: one.encode() for file, one in {**OTHERS, **MINE, "teams/web/evil.yaml": text}.items()}
        assert loader.load_files("r", files) == Loader(tenancy=TENANCY).load_files("r", files), name


@pytest.mark.parametrize(
    ("glob", "path", "is_in"),
    [
        ("teams/web/", "teams/web/a.yaml", True),
        ("teams/web/", "teams/web/a/b.yaml", True),
        ("teams/web/", "teams/web2/a.yaml", False),
        ("teams/web/", "teams/web", False),
        ("teams/*/a.yaml", "teams/web/a.yaml", True),
        ("teams/*/a.yaml", "teams/web/x/a.yaml", False),
        ("**/web/*", "teams/web/a.yaml", True),
        ("**/web/*", "web/a.yaml", True),
        ("a?.yaml", "ab.yaml", True),
        ("a?.yaml", "a/.yaml", False),
        ("a.yaml", "axyaml", False),
        ("**", "any/thing", True),
    ],
)
def test_paths_are_folders_and_globs(glob: str, path: str, *, is_in: bool) -> None:
    assert bool(path_pattern(glob).fullmatch(path)) is is_in


GLOBS = st.text("ab*?-", min_size=1, max_size=6)


@given(GLOBS, GLOBS, st.data())
def test_what_is_within_matches_no_more(inner: str, outer: str, data: st.DataObject) -> None:
    if within(inner, outer):
        name = "".join(
            data.draw(st.text("ab-x", max_size=3))
            if char == "*"
            else data.draw(st.sampled_from("ab-x"))
            if char == "?"
            else char
            for char in inner
        )
        assert glob_pattern(inner).fullmatch(name)
        assert glob_pattern(outer).fullmatch(name)


@given(GLOBS, GLOBS)
def test_every_glob_is_within_itself_and_everything(one: str, other: str) -> None:
    assert within(one, one)
    assert within(one, "*")
    assert within(one, f"{one}*")
    assert not within("*", other) or not other.strip("*")
