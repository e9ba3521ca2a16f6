"""What breaks harms itself only, is said, and never causes a delete."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from controller.planning import decide
from controller.taskdef.ignoring import put_but
from tests.support.playground import CLUSTER, PREFIX, STORE, Playground, plain_definition, route_yaml

NOT_YAML = "apiVersion: [logroute.dev\n"


def routed(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()


def test_a_spec_that_breaks_keeps_its_last_good_version_in_force(play: Playground) -> None:
    routed(play)
    play.write("httpd.yaml", route_yaml(outputs="[{name: no_such_output}]"))
    play.settle()
    assert play.is_routed()
    assert play.status()["Stalled"] == ("True", "InvalidSpec")
    play.deploy(plain_definition(image="httpd:2.4.65"))
    play.settle()
    assert play.is_routed(), "drift is repaired from the last good version"


def test_a_file_that_is_no_yaml_any_more_deletes_nothing(play: Playground) -> None:
    routed(play)
    play.write("httpd.yaml", NOT_YAML)
    play.settle()
    assert play.is_routed()
    (problem,) = (one for one in play.controller.board.plain()["problems"] if one["severity"] == "error")
    assert (problem["file"], problem["line"]) == ("httpd.yaml", 2)


def test_a_broken_spec_survives_a_restart_of_the_controller(play: Playground) -> None:
    routed(play)
    play.write("httpd.yaml", NOT_YAML)
    play.start()
    play.settle()
    assert play.is_routed()


def test_a_broken_file_under_a_new_name_may_be_a_renamed_one(play: Playground) -> None:
    routed(play)
    play.remove("httpd.yaml")
    play.write("renamed.yaml", NOT_YAML)
    play.settle()
    assert play.is_routed()
    play.remove("renamed.yaml")
    play.settle()
    assert not play.is_routed()


def test_a_broken_neighbour_does_not_stop_a_delete(play: Playground) -> None:
    play.write("other.yaml", route_yaml("other", services="[elsewhere]"))
    routed(play)
    play.write("other.yaml", NOT_YAML)
    play.write("httpd.yaml", "# moved out\n")
    play.settle()
    assert not play.is_routed()


def test_an_unreachable_source_changes_nothing_and_shows(play: Playground) -> None:
    routed(play)
    shutil.rmtree(play.specs)
    play.settle()
    assert play.is_routed()
    assert "SourceNotFound" in play.controller.board.plain()["sourceError"]
    assert b'logroute_source_fetch_failures_total{reason="SourceNotFound"}' in play.metrics.render("")[0]


def test_a_missing_cluster_is_a_condition_on_the_route(play: Playground) -> None:
    routed(play)
    play.write("lost.yaml", route_yaml("lost").replace(CLUSTER, "no-such-cluster"))
    play.settle()
    assert play.status("web/lost")["Ready"] == ("False", "ClusterMissing")
    assert play.status("web/httpd")["Ready"] == ("True", "InSync")


def test_a_missing_service_is_a_condition_on_the_route(play: Playground) -> None:
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.status()["Ready"] == ("False", "NoService")


def test_one_failing_service_never_stops_the_others(play: Playground) -> None:
    taken = plain_definition("taken")
    taken["containerDefinitions"].append(
        {"name": "other", "image": "x", "essential": False, "portMappings": [{"containerPort": 2020}]}
    )
    play.service("taken", definition=taken)
    play.service()
    play.write("all.yaml", route_yaml("all", services='["*"]'))
    play.settle()
    assert play.is_routed()
    assert play.reason("taken") == "PortTaken"
    assert play.status("web/all")["Ready"] == ("False", "PortTaken")


def test_a_foreign_router_is_refused(play: Playground) -> None:
    body = plain_definition()
    app = body["containerDefinitions"][0]
    app["logConfiguration"] = {"logDriver": "awsfirelens", "options": {"Name": "stdout"}}
    body["containerDefinitions"].append(
        {"name": "theirs", "image": "fluent-bit", "essential": True, "firelensConfiguration": {"type": "fluentbit"}}
    )
    play.service(definition=body)
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.revisions() == 1
    assert play.status()["Stalled"] == ("True", "ForeignRouter")


def test_a_service_without_a_circuit_breaker_and_a_bad_config_is_not_tried_twice(play: Playground) -> None:
    play.service()
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    play.settle(times=6)
    assert play.revisions() == 2
    assert not play.is_routed()
    assert play.status()["Stalled"] == ("True", "RolledBack")


def test_a_rolled_back_digest_is_tried_again_when_the_specs_change(play: Playground) -> None:
    play.service()
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    play.settle(times=4)
    play.write("httpd.yaml", route_yaml(outputs="[{name: stdout, format: json_lines}]"))
    play.settle()
    assert play.is_routed()


def test_suspend_freezes_a_service_as_it_is(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(extra="  suspend: true\n"))
    play.settle()
    assert not play.is_routed()
    assert play.status()["Suspended"][0] == "True"


def test_warn_reports_drift_and_changes_nothing(play: Playground) -> None:
    routed(play)
    play.write("httpd.yaml", route_yaml(extra="  mode: warn\n"))
    play.settle()
    play.deploy(plain_definition(image="httpd:2.4.65"))
    play.settle()
    assert not play.is_routed()
    assert play.status()["Drifted"][0] == "True"


def test_lost_state_freezes_and_never_restores(play: Playground) -> None:
    routed(play)
    for key in play.objects():
        if key.startswith("_state/services"):
            play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{key}")
    play.remove("httpd.yaml")
    play.start()
    play.settle()
    assert play.is_routed()


def test_corrupt_state_freezes_and_is_not_overwritten(play: Playground) -> None:
    routed(play)
    (key,) = (key for key in play.objects() if key.startswith("_state/services"))
    play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{key}", Body=b"{ not json")
    play.remove("httpd.yaml")
    play.start()
    play.settle()
    assert play.is_routed()
    assert play.objects()[key] == b"{ not json"


def test_a_router_without_memory_is_left_alone_when_it_differs(play: Playground) -> None:
    routed(play)
    for key in play.objects():
        if key.startswith("_state/"):
            play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{key}")
    play.write("httpd.yaml", route_yaml(outputs="[{name: stdout, format: json_lines}]"))
    revisions = play.revisions()
    play.start()
    play.settle()
    assert play.revisions() == revisions
    assert play.reason() == "Unknown"


def test_an_equal_router_is_adopted_without_a_write(play: Playground) -> None:
    routed(play)
    for key in play.objects():
        if key.startswith("_state/services"):
            play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{key}")
    revisions = play.revisions()
    play.start()
    play.settle()
    assert play.revisions() == revisions
    assert play.status()["Ready"] == ("True", "InSync")


def test_a_service_of_another_deployment_controller_is_reported_and_left(play: Playground) -> None:
    play.service(
        deploymentController={"type": "EXTERNAL"},
        deploymentConfiguration={},
        schedulingStrategy="REPLICA",
    )
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.reason() in ("DeploymentController", "NoService")
    assert play.revisions() == 1


def test_a_service_that_goes_away_is_forgotten(play: Playground) -> None:
    routed(play)
    play.ecs.delete_service(cluster=CLUSTER, service="example", force=True)
    play.sandbox.advance(300)
    play.settle()
    entries = [json.loads(body)["entries"] for key, body in play.objects().items() if key.startswith("_state/services")]
    assert not any(entries)


def test_a_bug_that_one_service_shows_stops_no_other(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    play.service("bad")
    play.service("good")
    play.write("all.yaml", route_yaml("all", services='["*"]'))
    real = put_but

    def fail(app: dict[str, Any], *more: Any) -> dict[str, Any]:
        if app["family"] == "bad":
            raise ZeroDivisionError("oh")
        return real(app, *more)

    monkeypatch.setattr(decide, "put_but", fail)
    play.settle()
    assert play.is_routed("good")
    assert play.reason("bad") == "InternalError"
