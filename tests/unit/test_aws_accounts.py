"""Accounts: the controller's own credentials or a role; clients made when asked for; failures that stay in place."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from controller.api.keys import Place
from controller.aws.accounts import AwsAccount, Options, Role
from controller.aws.ports import AccessDenied, AwsError, NotFound
from controller.sandbox import Sandbox
from tests.support.aws import REGION, Turned

OTHER = "arn:aws:iam::210987654321:role/logroute"
DENIED = "arn:aws:iam::210987654321:role/closed"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def account(role: str | None = None, external_id: str | None = None, name: str = "main") -> AwsAccount:
    turned = Turned()
    return AwsAccount(
        Place(name, REGION), Role(role, external_id), Options(1.0, sleep=turned.sleep, monotonic=turned.now)
    )


class Counted:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def aws_call(self, service: str, operation: str, _code: str) -> None:
        self.calls.append(f"{service}:{operation}")


class Sts:
    """Answers AssumeRole as AWS does: credentials good for `lifetime`, or a refusal. `asked` are its forms."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.lifetime = timedelta(hours=1)
        self.denied = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                outer.asked.append({key: values[0] for key, values in form.items()})
                status, body = outer.answer()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self) -> tuple[int, bytes]:
        if self.denied:
            said = "<Code>AccessDenied</Code><Message>is not authorized to perform: sts:AssumeRole</Message>"
            return 403, f"<ErrorResponse><Error>{said}</Error></ErrorResponse>".encode()
        until = (datetime.now(UTC) + self.lifetime).isoformat()
        given = (
            f"<AccessKeyId>ASIA{len(self.asked):016}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>token-{len(self.asked)}</SessionToken><Expiration>{until}</Expiration>"
        )
        result = f"<AssumeRoleResult><Credentials>{given}</Credentials></AssumeRoleResult>"
        return 200, f"<AssumeRoleResponse>{result}</AssumeRoleResponse>".encode()


@pytest.fixture
def sts(environment: pytest.MonkeyPatch) -> Iterator[Sts]:
    running = Sts()
    thread = threading.Thread(target=running.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    environment.setenv("AWS_ENDPOINT_URL_STS", running.url)
    yield running
    running.server.shutdown()
    thread.join()
    running.server.server_close()


def tokens(one: AwsAccount) -> list[str]:
    """The session tokens of the requests to ECS that follow, as they are sent."""
    seen: list[str] = []

    def note(request: Any, **_: Any) -> None:
        seen.append(request.headers.get("X-Amz-Security-Token", b"").decode())

    one.ecs._call.client.meta.events.register("before-send", note)
    return seen


@pytest.mark.usefixtures("environment")
def test_the_account_id_is_asked_for_once(sandbox: Sandbox) -> None:
    one = account()
    sandbox.reset_call_counts()
    assert [one.account_id, one.account_id] == ["123456789012", "123456789012"]
    assert sandbox.call_counts == {"sts:GetCallerIdentity": 1}


@pytest.mark.usefixtures("environment")
def test_the_credentials_of_a_role_are_really_used(sandbox: Sandbox) -> None:
    mine, theirs = account(), account(OTHER, "secret-handshake", "theirs")
    body = {"family": "app", "containerDefinitions": [{"name": "app", "image": "i", "memory": 64}]}
    assert theirs.account_id == "210987654321"
    assert ":210987654321:task-definition/app" in theirs.ecs.register_task_definition(body)
    registered = theirs.ecs.describe_task_definition("app")["taskDefinition"]["registeredBy"]
    assert registered == "arn:aws:sts::210987654321:assumed-role/logroute/logroute"
    assert mine.account_id == "123456789012"
    assert sandbox.revisions("app") == []


@pytest.mark.usefixtures("environment")
def test_nothing_is_contacted_before_the_first_call(sandbox: Sandbox) -> None:
    sandbox.reset_call_counts()
    one = account(OTHER)
    assert [one.ecs, one.logs, one.secrets, one.bucket("b")] == [one.ecs, one.logs, one.secrets, one.bucket("b")]
    assert sandbox.call_counts == {}


def test_the_external_id_goes_along(sts: Sts) -> None:
    account(OTHER, "secret-handshake").ecs.list_clusters()
    account(OTHER).ecs.list_clusters()
    assert sts.asked[0] | {"RoleArn": OTHER, "ExternalId": "secret-handshake"} == sts.asked[0]
    assert sts.asked[1]["RoleArn"] == OTHER
    assert "ExternalId" not in sts.asked[1]


def test_assuming_a_role_takes_a_token_and_is_counted(sts: Sts) -> None:
    taken: list[tuple[Any, ...]] = []
    turned, heard = Turned(), Counted()
    options = Options(1.0, heard, lambda *waited: taken.append(waited[:2]), turned.sleep, turned.now)
    AwsAccount(Place("theirs", REGION), Role(OTHER), options).ecs.list_clusters()
    assert len(sts.asked) == 1
    assert taken == [(Place("theirs", REGION), "ecs:cluster-read"), (Place("theirs", REGION), "other")]
    assert heard.calls == ["sts:AssumeRole", "ecs:ListClusters"]


def test_a_role_is_assumed_once_for_all_clients_and_threads(sts: Sts) -> None:
    one = account(OTHER)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: one.ecs.list_clusters(), range(16)))
    one.logs.find("/x")
    assert len(sts.asked) == 1


def test_credentials_are_renewed_before_they_run_out(sts: Sts) -> None:
    one = account(OTHER)
    seen = tokens(one)
    sts.lifetime = timedelta(minutes=5)  # within the quarter of an hour in which botocore renews
    one.ecs.list_clusters()
    one.ecs.list_clusters()
    sts.lifetime = timedelta(hours=1)
    one.ecs.list_clusters()
    one.ecs.list_clusters()
    assert seen == ["token-1", "token-2", "token-3", "token-3"]


def test_credentials_that_still_hold_are_used_while_renewing_fails(sts: Sts) -> None:
    one = account(OTHER)
    seen = tokens(one)
    sts.lifetime = timedelta(minutes=12)
    one.ecs.list_clusters()
    sts.denied = True
    one.ecs.list_clusters()
    assert seen == ["token-1", "token-1"]


def test_a_role_that_may_not_be_assumed_is_denied_on_that_account_only(sts: Sts) -> None:
    sts.denied = True
    closed, mine = account(DENIED, name="closed"), account()
    for ask in (closed.ecs.list_clusters, lambda: closed.bucket("b").get("k"), lambda: closed.logs.find("/x")):
        with pytest.raises(AccessDenied, match=f"sts:AssumeRole on {DENIED} failed: AccessDenied: is not authorized"):
            ask()
    assert mine.ecs.list_clusters() == []


def test_a_role_that_is_opened_again_works_without_a_restart(sts: Sts) -> None:
    one = account(OTHER)
    sts.denied = True
    with pytest.raises(AccessDenied):
        one.ecs.list_clusters()
    sts.denied = False
    assert one.ecs.list_clusters() == []


@pytest.mark.usefixtures("environment")
def test_clients_may_be_asked_for_by_many_threads_at_once() -> None:
    one = account()
    together = threading.Barrier(8)

    def ask(_: int) -> tuple[object, ...]:
        together.wait(5)
        return one.ecs, one.logs, one.secrets, one.bucket("a"), one.bucket("b")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert all(map(one_and_the_same, zip(*found, strict=True)))
    assert found[0][3] is not found[0][4]


def one_and_the_same(some: tuple[object, ...]) -> bool:
    return all(each is some[0] for each in some)


@pytest.mark.usefixtures("environment")
def test_secrets_are_read_as_text(sandbox: Sandbox) -> None:
    client = sandbox.client("secretsmanager")
    text = client.create_secret(Name="text", SecretString="s3cret")["ARN"]
    binary = client.create_secret(Name="binary", SecretBinary=b"\0")["ARN"]
    secrets = account().secrets
    assert secrets.get(text) == "s3cret"
    with pytest.raises(AwsError, match="the secret holds bytes"):
        secrets.get(binary)
    with pytest.raises(NotFound):
        secrets.get(text.replace("text", "none"))


@pytest.mark.usefixtures("environment")
def test_each_region_of_an_account_has_its_own_clients(sandbox: Sandbox) -> None:
    sandbox.client("ecs", region="eu-central-1").create_cluster(clusterName="there")
    there = AwsAccount(Place("main", "eu-central-1"), Role(), Options(1.0))
    assert there.ecs.list_clusters() == ["there"]
    assert account().ecs.list_clusters() == []
