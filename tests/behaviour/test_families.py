"""Task families that no service runs: jobs that a schedule, a rule or a person starts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml

FAMILY = "nightly-report"


def families_yaml(families: str = "['nightly-*']", target: str = "", extra: str = "") -> str:
    return (
        "apiVersion: logroute.dev/v1alpha1\nkind: LogRoute\n"
        "metadata: {name: jobs, namespace: web}\n"
        "spec:\n"
        f"  target: {{taskFamilies: {families}{target}}}\n"
        f"  pipeline:\n    outputs: [{{name: stdout}}]\n{extra}"
    )


def latest(play: Playground, family: str = FAMILY) -> dict[str, Any]:
    found: dict[str, Any] = play.ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    return found


def containers(play: Playground, family: str = FAMILY) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in latest(play, family)["containerDefinitions"]}


def is_routed(play: Playground, family: str = FAMILY) -> bool:
    return "log_router" in containers(play, family)


def told(play: Playground, family: str = FAMILY) -> dict[str, Any]:
    found: dict[str, Any] = play.controller.board.plain()["services"].get(f"main/{REGION}/family:{family}", {})
    return found


@pytest.fixture
def jobs(play: Playground) -> Playground:
    """A family with one revision, and a route for it."""
    play.register(plain_definition(FAMILY))
    play.write("jobs.yaml", families_yaml())
    return play


def test_a_family_gets_one_new_revision_with_the_router_and_no_other(jobs: Playground) -> None:
    jobs.settle()
    assert is_routed(jobs)
    jobs.settle(times=3)
    assert jobs.revisions(FAMILY) == 2


def test_the_status_says_that_nobody_sees_how_jobs_end(jobs: Playground) -> None:
    jobs.settle()
    assert (told(jobs)["ready"], told(jobs)["reason"]) == (True, "Unproven")
    assert jobs.status("web/jobs")["Ready"] == ("True", "InSync")


def test_a_pass_over_an_unchanged_family_costs_a_listing_and_a_look(jobs: Playground) -> None:
    jobs.settle()
    jobs.sandbox.reset_call_counts()
    jobs.step()
    assert jobs.sandbox.call_counts == {
        "ecs:ListTaskDefinitionFamilies": 1,
        "ecs:ListTaskDefinitions": 1,
        "s3:ListObjectsV2": 1,
        "logs:DescribeLogGroups": 1,
    }


def test_a_new_revision_without_the_router_gets_ours_on_top_with_its_image_kept(jobs: Playground) -> None:
    jobs.settle()
    jobs.register(plain_definition(FAMILY, image="httpd:2.4.65"))
    jobs.settle()
    assert is_routed(jobs)
    assert containers(jobs)["app"]["image"] == "httpd:2.4.65"


def test_a_family_that_no_route_selects_any_more_gets_its_originals_back(jobs: Playground) -> None:
    before = latest(jobs)["containerDefinitions"]
    jobs.settle()
    jobs.remove("jobs.yaml")
    jobs.settle()
    assert latest(jobs)["containerDefinitions"] == before
    assert told(jobs) == {}
    revisions = jobs.revisions(FAMILY)
    jobs.settle()
    assert jobs.revisions(FAMILY) == revisions


def test_a_suspended_route_writes_no_family(jobs: Playground) -> None:
    jobs.write("jobs.yaml", families_yaml(extra="  suspend: true\n"))
    jobs.settle()
    assert not is_routed(jobs)
    assert told(jobs)["reason"] == "Suspended"


def test_a_family_that_a_service_runs_is_refused_by_name(jobs: Playground) -> None:
    jobs.write("service.yaml", route_yaml())
    jobs.service(FAMILY)
    jobs.settle()
    assert not is_routed(jobs)
    assert told(jobs)["reason"] == "SharedFamily"
    assert f"{CLUSTER}/{FAMILY}" in told(jobs)["message"]


def test_a_shared_family_is_written_where_the_route_allows_it(jobs: Playground) -> None:
    jobs.write("service.yaml", route_yaml())
    jobs.write("jobs.yaml", families_yaml(target=", sharedFamilies: allow"))
    jobs.service(FAMILY)
    jobs.settle()
    assert is_routed(jobs)
    assert not jobs.is_routed(FAMILY)


def test_two_families_with_equal_definitions_share_one_config(jobs: Playground) -> None:
    jobs.register(plain_definition("nightly-backup"))
    jobs.settle()
    assert is_routed(jobs)
    assert is_routed(jobs, "nightly-backup")
    assert len(jobs.configs()) == 1


def test_an_excluded_family_and_one_of_another_name_stay_as_they_are(jobs: Playground) -> None:
    for name in ("nightly-legacy", "hourly-report"):
        jobs.register(plain_definition(name))
    jobs.write("jobs.yaml", families_yaml("['nightly-*', '!nightly-legacy']"))
    jobs.settle()
    assert is_routed(jobs)
    assert (jobs.revisions("nightly-legacy"), jobs.revisions("hourly-report")) == (1, 1)


def test_a_family_without_an_active_revision_is_left_and_forgotten(jobs: Playground) -> None:
    jobs.settle()
    for number in (1, 2):
        jobs.ecs.deregister_task_definition(taskDefinition=f"{FAMILY}:{number}")
    jobs.settle()
    assert jobs.revisions(FAMILY) == 2
    assert told(jobs) == {}
    assert jobs.status("web/jobs")["Ready"] == ("False", "NoService")


def lose_state(play: Playground) -> None:
    """As if somebody emptied the state's folder, and the controller began anew."""
    for key in [one for one in play.objects() if one.startswith("_state/")]:
        play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{key}")
    play.start()


def test_a_family_of_which_nothing_is_remembered_is_left_alone_and_it_is_said(jobs: Playground) -> None:
    jobs.settle()
    before = latest(jobs)
    jobs.write("jobs.yaml", families_yaml().replace("{name: stdout}", "{name: stdout, format: json_lines}"))
    lose_state(jobs)
    jobs.settle()
    assert latest(jobs) == before
    assert told(jobs)["reason"] == "Unknown"
    assert "what was applied is not remembered" in told(jobs)["message"]


def test_a_family_of_which_nothing_is_remembered_keeps_its_router_when_its_route_goes(jobs: Playground) -> None:
    jobs.settle()
    before = latest(jobs)
    jobs.write("jobs.yaml", families_yaml(f"['nightly-*', '!{FAMILY}']"))
    lose_state(jobs)
    jobs.settle()
    assert latest(jobs) == before


def test_a_family_of_which_nothing_is_remembered_is_taken_up_again_where_it_is_as_it_should_be(
    jobs: Playground,
) -> None:
    jobs.settle()
    lose_state(jobs)
    jobs.settle()
    assert (jobs.revisions(FAMILY), told(jobs)["reason"]) == (2, "Unproven")
    jobs.write("jobs.yaml", families_yaml("['other-*']"))
    jobs.settle()
    assert not is_routed(jobs)


def test_a_family_whose_memory_cannot_be_read_keeps_its_router_when_its_route_goes(jobs: Playground) -> None:
    jobs.settle()
    before = latest(jobs)
    for key in [one for one in jobs.objects() if one.startswith("_state/services/")]:
        jobs.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{key}", Body=b"{cut off")
    jobs.remove("jobs.yaml")
    jobs.start()
    jobs.settle()
    assert latest(jobs) == before
    assert "is not readable" in str(jobs.controller.board.plain()["errors"])


def test_a_family_whose_labels_are_lost_with_what_is_remembered_is_left_alone_and_it_is_said(jobs: Playground) -> None:
    jobs.settle()
    body = plain_definition(FAMILY) | {"containerDefinitions": latest(jobs)["containerDefinitions"]}
    for one in body["containerDefinitions"]:
        one.pop("dockerLabels", None)
    jobs.register(body)
    lose_state(jobs)
    jobs.settle()
    assert jobs.revisions(FAMILY) == 3
    assert (told(jobs)["ready"], told(jobs)["reason"]) == (False, "Unknown")
    assert "labels are lost" in told(jobs)["message"]


def test_a_revision_that_somebody_registers_at_the_same_moment_is_not_lost(
    jobs: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ecs = jobs.app.world.home_site.account.ecs
    register, theirs = ecs.register_task_definition, [plain_definition(FAMILY, image="httpd:2.4.65")]

    def a_moment_later(body: dict[str, Any]) -> str:
        if theirs:
            jobs.register(theirs.pop())
        return register(body)

    monkeypatch.setattr(ecs, "register_task_definition", a_moment_later)
    jobs.settle()
    assert is_routed(jobs)
    assert containers(jobs)["app"]["image"] == "httpd:2.4.65"
