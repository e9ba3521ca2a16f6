"""A change over many services while another account is throttled to nothing, beside the same change without it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3

from controller.api.keys import Place
from controller.sandbox import Sandbox
from controller.settings import AccountSettings
from tests.bench.fanout import Run, populate, under_throttles
from tests.bench.figures import Figure, at_least, told
from tests.support.playground import ALL_AT_ONCE, REGION, route_yaml

SERVICES = 200
THE_SAME = 0.95
HERE, DATA = "123456789012", "222222222222"
ROLE = f"arn:aws:iam::{DATA}:role/logroute"
CONTROLLER = f"*{DATA}*/logroute/logroute"
"""The ARN of its session in the other account."""
THERE = Place("data", REGION)
ACCOUNTS = {
    "main": AccountSettings(),
    "data": AccountSettings.model_validate({"roleArn": ROLE, "regions": [REGION]}),
}
BETWEEN = 60.0
"""Seconds between two passes over the throttled account."""


class _Over(BaseException):
    """Ends a thread that would wait for ever."""


class _Run(Run):
    """The thread that made it turns the clock; all others wait until it has come so far."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._turned, self._turns = threading.Condition(), threading.current_thread()
        self._over, self.waits = False, 0
        super().__init__(sandbox, folder, accounts=ACCOUNTS, config_store="s3://configs-{account}/logroute")

    def sleep(self, seconds: float) -> None:
        if threading.current_thread() is self._turns:
            super().sleep(seconds)
            with self._turned:
                self._turned.notify_all()
            return
        until = self.clock.monotonic() + seconds
        with self._turned:
            self.waits += 1
            self._turned.wait_for(lambda: self._over or self.clock.monotonic() >= until)
        if self._over:
            raise _Over

    @contextmanager
    def passes_over_the_other(self) -> Iterator[None]:
        """One after the other, in a thread of their own, as the controller makes them."""
        thread = threading.Thread(target=self._pass)
        self.controller.poll_source()
        thread.start()
        try:
            yield
        finally:
            with self._turned:
                self._over = True
                self._turned.notify_all()
            thread.join()

    def _pass(self) -> None:
        with suppress(_Over):
            while True:
                self.controller.resync(THERE)
                self.sleep(BETWEEN)


def other_account() -> Iterator[Figure]:
    alone, _ = _rate(throttled=False)
    beside, waits = _rate(throttled=True)
    yield told(f"other_account.{SERVICES}.alone", alone, "1/s")
    yield told(f"other_account.{SERVICES}.beside_a_throttled_one", beside, "1/s")
    yield at_least(f"other_account.{SERVICES}.waits_of_the_throttled_one", waits, 1, "waits")
    yield at_least(f"other_account.{SERVICES}.beside_to_alone", beside / alone, THE_SAME)


def _rate(*, throttled: bool) -> tuple[float, int]:
    """Registers a second at home, and how often the other account waited."""
    with under_throttles() as (sandbox, folder):
        _populated(sandbox, folder)
        run = _Run(sandbox, folder)
        if not throttled:
            run.until_all_are_registered(SERVICES)
            return run.rate(), 0
        sandbox.add_fault(calls="*:*", effect="throttle", by=CONTROLLER, times=0)
        with run.passes_over_the_other():
            run.until_all_are_registered(SERVICES)
        return run.rate(), run.waits


def _populated(sandbox: Sandbox, folder: Path) -> None:
    keys = sandbox.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="bench")["Credentials"]
    there = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION)
    home: Any = boto3.Session(region_name=REGION)
    for account, session in ((HERE, home), (DATA, there)):
        ecs, s3 = (session.client(one, endpoint_url=sandbox.url) for one in ("ecs", "s3"))
        populate(sandbox, ecs, s3, f"configs-{account}", SERVICES)
    sandbox.advance(600)
    (folder / "class.yaml").write_text(ALL_AT_ONCE)
    route = route_yaml("all", services='["s*"]')
    (folder / "here.yaml").write_text(route)
    far = route.replace("name: all", "name: far").replace("target: {", "target: {account: data, ")
    (folder / "there.yaml").write_text(far)
