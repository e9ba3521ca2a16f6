"""Routers that somebody else put there: left alone, or taken over where the class says so, and given back whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controller.cli.main import main
from controller.taskdef import canonical
from controller.taskdef.body import register_form
from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml

SECRET = "hunter2-of-theirs"
ROUTER = {
    "name": "theirs",
    "image": "fluent-bit:1",
    "essential": True,
    "firelensConfiguration": {"type": "fluentbit", "options": {"enable-ecs-log-metadata": "true"}},
    "environment": [{"name": "DD_API_KEY", "value": SECRET}, {"name": "LEVEL", "value": "info"}],
    "mountPoints": [{"sourceVolume": "spool", "containerPath": "/spool"}],
    "memoryReservation": 64,
    "healthCheck": {"command": ["CMD-SHELL", "true"]},
}
FIRELENS = {"logDriver": "awsfirelens", "options": {"Name": "datadog", "apikey": SECRET}}
CI_IMAGE = "httpd:2.4.65"


def adopting(spec: str = "adopt: true", name: str = "default") -> str:
    return f"apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"


def routed_by_hand(family: str = "example", /, router: dict[str, Any] | None = None, **app: Any) -> dict[str, Any]:
    """A definition with a router of its own, which the application waits for."""
    theirs = router or ROUTER
    waits = [{"containerName": theirs["name"], "condition": "HEALTHY"}]
    body = plain_definition(family, **{"logConfiguration": FIRELENS, "dependsOn": waits, **app})
    body["containerDefinitions"].insert(0, theirs)
    return {**body, "volumes": [{"name": "spool"}]}


def canon(body: dict[str, Any]) -> dict[str, Any]:
    return canonical.canonical(register_form(body))


@pytest.fixture
def adopted(play: Playground) -> Playground:
    """A service whose own router gave way to ours."""
    play.service(definition=routed_by_hand())
    play.write("class.yaml", adopting())
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()
    return play


def test_without_adopt_a_foreign_router_is_left_and_the_way_is_said(play: Playground) -> None:
    play.service(definition=routed_by_hand())
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.revisions() == 1
    assert play.reason() == "ForeignRouter"
    assert "set adopt: true in the LogRouterClass default" in json.dumps(play.controller.board.plain())


def test_with_adopt_ours_takes_its_place(adopted: Playground) -> None:
    found = adopted.containers()
    assert set(found) == {"log_router", "app"}
    assert found["app"]["dependsOn"] == [{"containerName": "log_router", "condition": "HEALTHY"}]
    assert found["app"]["logConfiguration"]["options"].keys() == {"log-driver-buffer-limit"}
    assert adopted.status()["Ready"] == ("True", "InSync")


def test_an_adopted_service_is_never_written_again(adopted: Playground) -> None:
    revisions = adopted.revisions()
    adopted.start()
    adopted.settle()
    assert adopted.revisions() == revisions


def test_when_the_route_leaves_their_router_is_back_whole(play: Playground) -> None:
    play.service(definition=routed_by_hand())
    before = play.running()
    play.write("class.yaml", adopting())
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()
    play.remove("httpd.yaml")
    play.settle()
    assert canon(play.running()) == canon(before)


def test_a_class_that_drops_adopt_keeps_what_it_adopted(adopted: Playground) -> None:
    adopted.write("class.yaml", adopting("adopt: false, container: {memoryReservation: 96}"))
    adopted.settle()
    assert adopted.containers()["log_router"]["memoryReservation"] == 96
    adopted.remove("httpd.yaml")
    adopted.settle()
    assert canon(adopted.running()) == canon(routed_by_hand())


def test_a_deploy_that_brings_their_router_again_is_adopted_again(adopted: Playground) -> None:
    adopted.deploy(routed_by_hand(image=CI_IMAGE, router={**ROUTER, "image": "fluent-bit:2"}))
    adopted.settle()
    assert adopted.is_routed()
    assert adopted.containers()["app"]["image"] == CI_IMAGE
    adopted.remove("httpd.yaml")
    adopted.settle()
    assert adopted.containers()["theirs"]["image"] == "fluent-bit:2"


def test_a_deploy_that_brings_their_router_again_is_left_where_adopt_was_dropped(adopted: Playground) -> None:
    adopted.write("class.yaml", adopting("adopt: false"))
    theirs = adopted.deploy(routed_by_hand(image=CI_IMAGE))
    adopted.settle()
    assert adopted.running()["taskDefinition"]["taskDefinitionArn"] == theirs
    assert adopted.reason() == "ForeignRouter"


def test_when_labels_are_lost_their_router_comes_back_from_memory(adopted: Playground) -> None:
    body = register_form(adopted.running())
    for container in body["containerDefinitions"]:
        container.pop("dockerLabels", None)
    adopted.deploy(body)
    adopted.settle()
    adopted.remove("httpd.yaml")
    adopted.settle()
    assert canon(adopted.running()) == canon(routed_by_hand())


def test_labels_lost_in_the_first_rollout_still_leave_the_originals_known(play: Playground) -> None:
    play.service(definition=routed_by_hand())
    play.write("class.yaml", adopting())
    play.write("httpd.yaml", route_yaml())
    play.step()
    body = register_form(play.running())
    for container in body["containerDefinitions"]:
        container.pop("dockerLabels", None)
    play.deploy(body)
    play.settle()
    play.remove("httpd.yaml")
    play.settle()
    assert canon(play.running()) == canon(routed_by_hand())


def test_a_container_that_logs_through_it_and_is_not_selected_stops_the_adoption(play: Playground) -> None:
    body = routed_by_hand()
    body["containerDefinitions"].append({"name": "side", "image": "x", "logConfiguration": FIRELENS})
    play.service(definition=body)
    play.write("class.yaml", adopting())
    only_app = route_yaml().replace("services: [example]", "services: [example], containers: [app]")
    play.write("httpd.yaml", only_app)
    play.settle()
    assert play.revisions() == 1
    assert play.reason() == "ForeignRouter"
    assert "container 'side' logs through the router" in json.dumps(play.controller.board.plain())


def test_a_router_of_another_installation_is_never_adopted(play: Playground) -> None:
    play.settings = play.settings.model_copy(update={"owner": "other"})
    play.start()
    play.service()
    play.write("class.yaml", adopting())
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()
    revisions = play.revisions()
    play.settings = play.settings.model_copy(update={"owner": "logroute", "config_store": f"s3://{STORE}/second"})
    play.start()
    play.settle()
    assert play.revisions() == revisions
    assert play.reason() == "ForeignRouter"
    assert "of the LogRoute installation 'other'" in json.dumps(play.controller.board.plain())


def test_a_volume_of_the_class_may_take_the_name_of_one_that_their_router_alone_had(play: Playground) -> None:
    play.service(definition=routed_by_hand())
    play.write("class.yaml", adopting("adopt: true, volumes: [{name: spool}]"))
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()
    assert [one["name"] for one in play.running()["taskDefinition"]["volumes"]] == ["spool"]
    play.remove("httpd.yaml")
    play.settle()
    assert canon(play.running()) == canon(routed_by_hand())


def test_a_router_too_large_to_be_kept_is_refused_with_the_numbers(play: Playground) -> None:
    large = {**ROUTER, "environment": [{"name": f"PART_{number}", "value": "x" * 1000} for number in range(58)]}
    body = routed_by_hand(router=large)
    body["containerDefinitions"][1]["environment"] = [{"name": "A", "value": "y" * 3000}]
    play.service(definition=body)
    play.write("class.yaml", adopting())
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.revisions() == 1
    assert play.reason() == "Unsupported"
    said = json.dumps(play.controller.board.plain())
    assert "ECS takes 65,536" in said
    assert "what restore gives back" in said


def test_their_secrets_show_in_no_plan_and_no_status(
    play: Playground, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGROUTE_CONFIG_STORE", f"s3://{STORE}/{PREFIX}")
    play.service(definition=routed_by_hand())
    play.write("class.yaml", adopting())
    play.write("httpd.yaml", route_yaml())
    for how in ("text", "json", "markdown"):
        with pytest.raises(SystemExit) as ended:
            main(["plan", "--source", str(play.specs), "--format", how])
        assert ended.value.code == 2
    play.settle()
    play.remove("httpd.yaml")
    with pytest.raises(SystemExit):
        main(["plan", "--source", str(play.specs)])
    said = capsys.readouterr()
    assert "fluent-bit:1" in said.out
    assert SECRET not in said.out + said.err + json.dumps(play.controller.board.plain())


# On files


class Files:
    """`inject` and `restore` in a folder of their own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.specs, self.given, self.out = (folder / name for name in ("specs.yaml", "td.json", "out.json"))

    def run(self, *arguments: str) -> tuple[int, str]:
        """The exit status, and what was said."""
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        return int(ended.value.code or 0), self.capsys.readouterr().err

    def inject(self, body: dict[str, Any], spec: str = "adopt: true") -> tuple[int, str]:
        self.given.write_text(json.dumps(body))
        self.specs.write_text(adopting(spec) + "---\n" + route_yaml())
        store = ["--config-store", "s3://configs/logroute", "--config-dir", str(self.folder / "configs")]
        files = ["--task-definition", str(self.given), "--specs", str(self.specs), "-o", str(self.out)]
        return self.run("inject", *files, *store, "--region", REGION, "--cluster", CLUSTER)

    def written(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.read_text())
        return found

    def restored(self, body: dict[str, Any]) -> tuple[dict[str, Any], str]:
        self.given.write_text(json.dumps(body))
        status, said = self.run("restore", "--task-definition", str(self.given), "-o", str(self.out))
        assert status == 0
        return self.written(), said


@pytest.fixture
def files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Files:
    return Files(tmp_path, capsys)


def test_inject_says_whose_place_it_takes_and_no_secret(files: Files) -> None:
    status, said = files.inject(routed_by_hand(router={**ROUTER, "portMappings": [{"containerPort": 25888}]}))
    assert status == 0
    assert "it takes the place of the router 'theirs'" in said
    assert "its ports 25888 are mapped no more" in said
    assert SECRET not in said


def test_inject_without_adopt_names_the_class_to_change(files: Files) -> None:
    status, said = files.inject(routed_by_hand(), "adopt: false")
    assert status == 1
    assert "ForeignRouter" in said
    assert "set adopt: true in the LogRouterClass default" in said


def test_what_was_injected_with_adopt_is_injected_again_without(files: Files) -> None:
    assert files.inject(routed_by_hand())[0] == 0
    once = files.written()
    assert files.inject(once, "adopt: false")[0] == 0
    assert files.written() == once
    assert canon(files.restored(once)[0]) == canon(routed_by_hand())


def test_a_deploy_that_adopted_in_ci_costs_the_controller_no_write(adopted: Playground, files: Files) -> None:
    assert files.inject(routed_by_hand(image=CI_IMAGE))[0] == 0
    adopted.deploy(files.written())
    revisions = adopted.revisions()
    adopted.settle()
    assert adopted.revisions() == revisions
    adopted.remove("httpd.yaml")
    adopted.settle()
    assert canon(adopted.running()) == canon(routed_by_hand(image=CI_IMAGE))


def test_two_routers_in_a_file_are_left_and_told(files: Files) -> None:
    body = routed_by_hand()
    body["containerDefinitions"].append({**ROUTER, "name": "second"})
    status, said = files.inject(body)
    assert status == 1
    assert "'theirs' and 'second' are both FireLens routers" in said
    back, told = files.restored(body)
    assert back == body
    assert "written as it was" in told
