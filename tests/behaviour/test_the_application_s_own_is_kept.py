"""What the application put on its definition goes along into each revision of ours."""

from __future__ import annotations

from tests.support.playground import Playground, plain_definition, route_yaml


def test_tags_put_on_a_revision_after_it_was_read_are_carried(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(extra="  suspend: true\n"))
    play.settle()
    arn = play.running()["taskDefinition"]["taskDefinitionArn"]
    play.ecs.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "web"}])
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()
    assert {"key": "team", "value": "web"} in play.running()["tags"]


def test_what_is_held_is_not_described_again(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(extra="  suspend: true\n"))
    play.settle()
    play.sandbox.reset_call_counts()
    play.settle()
    assert "ecs:DescribeTaskDefinition" not in play.sandbox.call_counts


def test_a_volume_named_like_one_of_the_class_stays_the_application_s(play: Playground) -> None:
    play.service(definition=plain_definition() | {"volumes": [{"name": "data"}]})
    play.write(
        "class.yaml",
        "apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {name: default}\n"
        "spec: {volumes: [{name: data}]}\n",
    )
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.revisions() == 1
    assert play.status()["Stalled"] == ("True", "Unsupported")
