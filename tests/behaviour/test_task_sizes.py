"""A Fargate task that the router does not fit into: refused with the numbers, or grown where the class says so."""

from __future__ import annotations

import json
from typing import Any

from tests.support.playground import Playground, plain_definition, route_yaml

TIGHT = plain_definition(memory=512, cpu=256) | {"cpu": "256", "memory": "512"}
TIGHT["containerDefinitions"][0].pop("memoryReservation", None)
CLASS = "apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {name: default}\nspec: {growTask: %s}\n"


def begun(play: Playground, grow: str, definition: dict[str, Any] = TIGHT) -> None:
    play.service(definition=definition)
    play.write("class.yaml", CLASS % grow)
    play.write("httpd.yaml", route_yaml())
    play.settle()


def size(play: Playground) -> tuple[str, str]:
    body = play.running()["taskDefinition"]
    return body["cpu"], body["memory"]


def test_without_grow_task_it_is_refused_with_the_numbers(play: Playground) -> None:
    begun(play, "false")
    assert not play.is_routed()
    assert play.reason() == "Unsupported"
    said = json.dumps(play.controller.board.plain())
    assert "the task has 512 MiB of memory, its containers and the router (which takes 128) need 640" in said
    assert "cpu 256, memory 1024" in said


def test_with_it_the_task_grows_to_the_next_size_and_shrinks_when_the_route_leaves(play: Playground) -> None:
    begun(play, "true")
    assert play.is_routed()
    assert size(play) == ("256", "1024")
    revisions = play.revisions()
    play.settle()
    assert play.revisions() == revisions
    play.remove("httpd.yaml")
    play.settle()
    assert not play.is_routed()
    assert size(play) == ("256", "512")


def test_a_deploy_that_copies_the_grown_size_does_not_make_it_larger(play: Playground) -> None:
    begun(play, "true")
    body = play.running()["taskDefinition"]
    kept = {key: body[key] for key in ("family", "containerDefinitions", "cpu", "memory", *OTHERS) if key in body}
    for number in range(2):
        kept["containerDefinitions"][0]["image"] = f"httpd:2.4.{60 + number}"
        play.deploy(kept)
        play.settle()
        assert size(play) == ("256", "1024")
    play.remove("httpd.yaml")
    play.settle()
    assert size(play) == ("256", "512")


OTHERS = ("networkMode", "requiresCompatibilities", "executionRoleArn", "taskRoleArn", "volumes")


def test_turned_off_on_a_grown_task_it_is_refused_with_the_numbers_and_the_service_stays_as_it_is(
    play: Playground,
) -> None:
    begun(play, "true")
    revisions = play.revisions()
    play.write("class.yaml", CLASS % "false")
    play.settle()
    assert play.reason() == "Unsupported"
    assert "the task has 512 MiB of memory" in json.dumps(play.controller.board.plain())
    assert play.is_routed()
    assert size(play) == ("256", "1024")
    assert play.revisions() == revisions


def test_turned_off_it_gives_the_size_back_where_the_router_fits_meanwhile(play: Playground) -> None:
    begun(play, "true", TIGHT | smaller_app(448))
    assert size(play) == ("256", "1024")
    play.write("class.yaml", CLASS % "false, container: {memoryReservation: 64}")
    play.settle()
    assert play.is_routed()
    assert size(play) == ("256", "512")


def test_the_router_fits_again_once_the_application_shrinks(play: Playground) -> None:
    begun(play, "true")
    grown = play.running()["taskDefinition"]
    kept = {key: grown[key] for key in ("family", "containerDefinitions", "cpu", "memory", *OTHERS) if key in grown}
    next(one for one in kept["containerDefinitions"] if one["name"] != "log_router")["memory"] = 256
    play.deploy(kept)
    play.settle()
    assert play.is_routed()
    assert size(play) == ("256", "512")


def test_the_router_fits_again_once_its_class_asks_for_less(play: Playground) -> None:
    begun(play, "true", TIGHT | smaller_app(448))
    assert size(play) == ("256", "1024")
    play.write("class.yaml", CLASS % "true, container: {memoryReservation: 64}")
    play.settle()
    assert play.is_routed()
    assert size(play) == ("256", "512")


def test_a_size_that_the_application_chose_meanwhile_is_what_comes_back(play: Playground) -> None:
    begun(play, "true")
    play.deploy(TIGHT | {"cpu": "512", "memory": "2048"})
    play.settle()
    assert play.is_routed()
    assert size(play) == ("512", "2048")
    play.remove("httpd.yaml")
    play.settle()
    assert not play.is_routed()
    assert size(play) == ("512", "2048")


def smaller_app(memory: int) -> dict[str, Any]:
    return {"containerDefinitions": [TIGHT["containerDefinitions"][0] | {"memory": memory}]}
