"""A Fargate task that the router does not fit into: refused with the numbers, or grown where the class says so."""

from __future__ import annotations

import json
from typing import Any

from tests.support.playground import Playground, plain_definition, route_yaml

TIGHT = plain_definition(memory=512, cpu=256) | {"cpu": "256", "memory": "512"}
TIGHT["containerDefinitions"][0].pop("memoryReservation", None)
CLASS = "apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {name: default}\nspec: {growTask: %s}\n"
LARGE = "{name: log_router, cpu: 32, memoryReservation: 128}"
REGISTERED = (
    "family",
    "containerDefinitions",
    "cpu",
    "memory",
    "networkMode",
    "requiresCompatibilities",
    "executionRoleArn",
    "taskRoleArn",
    "volumes",
)


def begun(play: Playground, grow: str, definition: dict[str, Any] | None = None) -> None:
    play.service(definition=definition or TIGHT)
    play.write("class.yaml", CLASS % grow)
    play.write("httpd.yaml", route_yaml())
    play.settle()


def size(play: Playground) -> tuple[str, str]:
    body = play.running()["taskDefinition"]
    return body["cpu"], body["memory"]


def said(play: Playground) -> str:
    return json.dumps(play.controller.board.plain())


def copied(play: Playground, **changed: Any) -> dict[str, Any]:
    """What a deploy registers that copies what runs, and changes something of the task."""
    body = play.running()["taskDefinition"]
    return {key: body[key] for key in REGISTERED if key in body} | changed


def test_without_grow_task_it_is_refused_with_the_numbers(play: Playground) -> None:
    begun(play, "false")
    assert not play.is_routed()
    assert play.reason() == "Unsupported"
    assert "the task has 512 MiB of memory, its containers and the router (which takes 128) need 640" in said(play)
    assert "cpu 256, memory 1024" in said(play)


def test_the_refusal_names_both_where_memory_and_cpu_are_short(play: Playground) -> None:
    begun(play, f"false, container: {LARGE}")
    assert play.reason() == "Unsupported"
    assert "the task has 512 MiB of memory, its containers and the router (which takes 128) need 640" in said(play)
    assert "the task has 256 CPU units, its containers and the router (which takes 32) need 288" in said(play)
    assert "cpu 512, memory 1024" in said(play)


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


def test_a_task_of_sixteen_cpus_grows_to_thirty_two(play: Playground) -> None:
    full = plain_definition(memory=57344, cpu=16384) | {"cpu": "16384", "memory": "57344"}
    full["containerDefinitions"][0].pop("memoryReservation", None)
    begun(play, f"true, container: {LARGE}", full)
    assert play.is_routed()
    assert size(play) == ("32768", "61440")


def test_a_deploy_that_copies_the_grown_size_does_not_make_it_larger(play: Playground) -> None:
    begun(play, "true")
    kept = copied(play)
    for number in range(2):
        kept["containerDefinitions"][0]["image"] = f"httpd:2.4.{60 + number}"
        play.deploy(kept)
        play.settle()
        assert size(play) == ("256", "1024")
    play.remove("httpd.yaml")
    play.settle()
    assert size(play) == ("256", "512")


def test_turned_off_on_a_grown_task_that_would_not_fit_leaves_it_and_says_so(play: Playground) -> None:
    begun(play, "true")
    play.write("class.yaml", CLASS % "false")
    play.settle()
    assert (play.is_routed(), size(play)) == (True, ("256", "1024"))
    assert play.reason() == "Unsupported"
    assert "the task has 512 MiB of memory" in said(play)
    play.remove("httpd.yaml")
    play.settle()
    assert (play.is_routed(), size(play)) == (False, ("256", "512"))


def test_turned_off_with_a_smaller_router_gives_the_size_back(play: Playground) -> None:
    begun(play, "true", TIGHT | {"containerDefinitions": [{**TIGHT["containerDefinitions"][0], "memory": 448}]})
    assert size(play) == ("256", "1024")
    play.write("class.yaml", CLASS % "false, container: {name: log_router, memoryReservation: 64}")
    play.settle()
    assert (play.is_routed(), size(play)) == (True, ("256", "512"))


def test_a_router_that_fits_again_gives_the_size_back(play: Playground) -> None:
    begun(play, "true", TIGHT | {"containerDefinitions": [{**TIGHT["containerDefinitions"][0], "memory": 448}]})
    play.write("class.yaml", CLASS % "true, container: {name: log_router, memoryReservation: 64}")
    play.settle()
    assert (play.is_routed(), size(play)) == (True, ("256", "512"))


def test_an_application_that_shrinks_gives_the_size_back(play: Playground) -> None:
    begun(play, "true")
    kept = copied(play)
    kept["containerDefinitions"][0]["memory"] = 384
    play.deploy(kept)
    play.settle()
    assert (play.is_routed(), size(play)) == (True, ("256", "512"))


def test_a_deploy_that_chooses_another_size_is_the_new_truth(play: Playground) -> None:
    begun(play, "true")
    play.deploy(copied(play, cpu="512", memory="2048"))
    play.settle()
    assert (play.is_routed(), size(play)) == (True, ("512", "2048"))
    play.remove("httpd.yaml")
    play.settle()
    assert (play.is_routed(), size(play)) == (False, ("512", "2048"))


def test_a_deploy_that_changes_one_half_of_a_grown_size_keeps_the_other(play: Playground) -> None:
    """512 CPU units with the 512 MiB from before are no size of Fargate's."""
    begun(play, "true")
    play.deploy(copied(play, cpu="512"))
    play.settle()
    assert (play.is_routed(), size(play)) == (True, ("512", "1024"))
    play.remove("httpd.yaml")
    play.settle()
    assert (play.is_routed(), size(play)) == (False, ("512", "1024"))
