"""A world to look at, and what a command says of it."""

from __future__ import annotations

import pytest

from tests.support.playground import Playground, plain_definition, route_yaml


def look_at(play: Playground) -> Playground:
    """A service that is routed, and was deployed without its router once; another that nobody routes; a broken spec."""
    play.service()
    play.service("other")
    play.write("httpd.yaml", route_yaml())
    play.write("broken.yaml", route_yaml("broken", outputs="[{name: s3, bukcet: x}]"))
    play.settle()
    play.deploy(plain_definition(image="httpd:2.4.65"))
    play.sandbox.advance(600)
    play.settle()
    play.controller.save_status()
    play.history.flush()
    return play


def said(play: Playground, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    capsys.readouterr()
    assert play.command(*words) == status, capsys.readouterr()
    found = capsys.readouterr()
    return found.out if status == 0 else found.err
