"""A Fargate task that the router does not fit into: refused with the numbers, or grown where the class says so."""

from __future__ import annotations

import json

from tests.support.playground import Playground, plain_definition, route_yaml

TIGHT = plain_definition(memory=512, cpu=256) | {"cpu": "256", "memory": "512"}
TIGHT["containerDefinitions"][0].pop("memoryReservation", None)
CLASS = "apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {name: default}\nspec: {growTask: %s}\n"


def begun(play: Playground, grow: str) -> None:
    play.service(definition=TIGHT)
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
