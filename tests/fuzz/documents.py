"""What other programs write: configs, task definitions, AppSpecs, and the objects in the config store."""

from __future__ import annotations

from itertools import count
from typing import Any

import orjson

from controller.api.events import Event
from controller.api.keys import Place, ServiceKey
from controller.aws.leases import LeaseFolder
from controller.checking.harmless import NotStarted
from controller.checking.presented import present
from controller.cli.status import _lines
from controller.desired.compose import Installation, compose
from controller.desired.matching import Home, RouteIndex
from controller.desired.model import ConfigStore
from controller.desired.subject import Refusal, Subject
from controller.fluentbit.classic import ClassicError, SourceFile
from controller.fluentbit.classic import Place as Line
from controller.fluentbit.reader import from_classic, read_classic
from controller.importing.definition import ConfigRef
from controller.importing.importer import Wish, import_route
from controller.importing.remarks import Unimportable
from controller.observed import hints
from controller.observed.hints import NotAnEvent
from controller.planning.memory import ServiceMemory, Stage
from controller.planning.waves import Change
from controller.reconciling.notes import Note, Notes
from controller.reconciling.statuses import StatusError, checked, merged
from controller.runtime.leases import HELD, REPLICAS, Leases
from controller.specs.carry import RouteMemory
from controller.specs.load import load, reread
from controller.state import history
from controller.state.ledger import Ledger, Record
from controller.taskdef import canonical
from controller.taskdef.appspec import AppSpecUnusable, definition_of, with_definition
from controller.taskdef.body import NotATaskDefinition
from controller.taskdef.ignoring import put_but
from controller.taskdef.overlay import ForeignRouter, Ownership, comparable, put, strip
from controller.taskdef.shapes import from_file
from tests.fuzz.corpus import files
from tests.fuzz.specs import NESTS, YAML_TOKENS
from tests.fuzz.target import Target, text
from tests.support import imports
from tests.support.aws import MemoryStore

HERE = Place("main", "us-east-1")
SERVICE = ServiceKey.parse(f"{HERE}/c/s")
ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:8"


def _classic(data: bytes) -> object:
    """Everything is included once, and once more."""

    def include(path: str, place: Line) -> tuple[SourceFile, ...]:
        return (SourceFile(f"{path}{place.line}", data[: len(data) // 2]),) if len(path) < 9 else ()

    try:
        return len(from_classic(data).sections)
    except ClassicError:
        return len(read_classic(SourceFile("x", data), include).sections)


def _presented(data: bytes) -> object:
    """As `check` hands it to an engine."""
    ports = count(20000)
    return len(present(data, data, "5.0.9", lambda: next(ports)).files)


def _import(data: bytes) -> object:
    """As the custom config of a router."""
    found = imports.imported(imports.task(options=imports.CUSTOM), {"/extra.conf": data.decode(errors="replace")})
    return sorted({one.code for one in found.problems}), len(found.remarks) > 0


def _import_definition(data: bytes) -> object:
    """A whole definition, any file that it names being the same small one."""

    def find(ref: ConfigRef) -> tuple[SourceFile, ...]:
        return (SourceFile(ref.value, b"[OUTPUT]\n    Name stdout\n    Match *\n"),)

    found = import_route(from_file(orjson.loads(data)), find, Wish())
    return sorted({one.code for one in found.problems}), len(found.remarks)


_ROUTES = load("r", {"a.yaml": b"""apiVersion: logroute.dev/v1alpha1
kind: LogRoute
metadata: {name: all}
spec:
  target: {cluster: "*", services: ["*"]}
  ignore: [/container/memoryReservation, /containers/app/dependsOn, /volumes/spool]
  pipeline: {outputs: [{name: s3, bucket: b, region: eu-west-1}]}
"""})  # fmt: skip
assert _ROUTES.routes, _ROUTES.problems
_INSTALL = Installation("logroute", ConfigStore("store", "logroute"))


def _inject(data: bytes) -> object:
    """As `logroute inject`, then `restore`, do; taking out what was put in gives back what was there."""
    body = from_file(orjson.loads(data))
    there = strip(body, Ownership("logroute", _INSTALL.store.arn))
    subject = Subject(None, "eu-west-1", "c", "s", body["family"], there.app, adopted=there.adopted)
    desired = compose(RouteIndex(_ROUTES.routes, Home(None, "eu-west-1")).routes_for(subject), subject, _INSTALL)
    if desired.overlay is None:
        return "nothing"
    ignored = [pointer for route in _ROUTES.routes for pointer in route.document.spec.ignore]
    orjson.dumps(put_but(there.app, desired.overlay, ignored, body, there.router))
    made = put(there.app, desired.overlay)
    comparable(made)
    strip(made, Ownership("logroute"))
    return len(desired.notes), len(canonical.canonical(body))


def _described(data: bytes) -> object:
    """Answers of ECS as botocore hands them on are typed; their values are anything."""
    strip(from_file(orjson.loads(data)), Ownership())
    return "stripped"


def _appspec(data: bytes) -> object:
    said = text(data)
    return len(definition_of(with_definition(said, ARN)))


READS: dict[str, Any] = {
    "services": ServiceMemory.from_plain,
    "routes": RouteMemory.from_plain,
    "notes": Note.from_plain,
    "waves": Change.from_plain,
}
GOOD: dict[str, dict[str, Any]] = {
    "services": ServiceMemory("arn:2", "arn:1", "d", "f", Stage.SETTLED).as_plain(),
    "routes": RouteMemory("f", "d", ({"kind": "LogRoute"},)).as_plain(),
    "notes": Note("ann", 1.0, "why", (f"{SERVICE} restore ",)).as_plain(),
    "waves": Change("id", "r", 1.0, {str(SERVICE): "tag"}, (1,), (str(SERVICE),)).as_plain(),
}


def _state(data: bytes) -> object:
    """One object of each ledger; then what is known is used as a pass uses it."""
    found = []
    for kind, read in READS.items():
        store = MemoryStore()
        ledger: Ledger[Record] = Ledger(store, kind, read, shards=1)
        store.force(f"{kind}/0.json", data)
        ledger.load()
        records = list(ledger.items())
        for _, one in records:
            str(one)
            if isinstance(one, RouteMemory):
                reread(one.made_from, one.file)
        found.append((len(records), bool(ledger.unreadable())))
        ledger.put(str(SERVICE), read(GOOD[kind]))
    return found


def _notes(data: bytes) -> object:
    store = MemoryStore()
    notes = Notes(store, "n", lambda: 1.0)
    for name in "0123456789abcdef":
        store.force(f"n/{name}.json", data)
    notes.ledger.load()
    return len(notes.said()), len(notes.holds(["a/b", str(SERVICE)]))


class _Nobody:
    """runtime.leases.Holding that holds nothing."""

    def is_free(self, shard: str) -> bool:
        return bool(shard)

    def prepare(self, shard: str) -> None: ...
    def gained(self, shard: str) -> None: ...
    def lost(self, shard: str) -> None: ...


def _lease(data: bytes) -> object:
    """Every record in the folder is this one; also the replica's own is overwritten between two beats."""
    store = MemoryStore()
    leases = Leases(LeaseFolder(store, "leases/"), ["a", "b"], "name", _Nobody(), now=lambda: 100.0)
    for name in (f"{HELD}a", f"{REPLICAS}run.x.1", f"{REPLICAS}\u00e9"):
        store.force(f"leases/{name}.json", data)
    leases.tick()
    store.force(f"leases/{REPLICAS}{leases.replica}.json", data)
    leases.tick()
    return leases.held, len(leases.missing())


def _status(data: bytes) -> object:
    """As `logroute status` takes and shows it, of two replicas."""
    found = checked(orjson.loads(data), "s3://b/status.json")
    return len(_lines(merged([found, found])))


JSON_NESTS = ((b"[", b"]"), (b'{"a":', b"}"), (b'{"format":1,"entries":', b"}"))
JSON_TOKENS = (
    *(b"null", b"true", b"{}", b"[]", b'""', b"0", b"-1", b"1.5", b"1e400", b"[null]", b'[""]', b'{"a":1}', b'["a"]', b"[[]]"),
    *(b'"\\ud83d\\ude00"', b'"\\u0000"', b",", b":", b'"a":', b'"name":', b"12345678901234567890", b'"' + b"a" * 300 + b'"'),
)  # fmt: skip
FIELDS = tuple(f'"{name}": '.encode() for name in (
    "containerDefinitions", "family", "taskDefinition", "tags", "volumes", "networkMode", "name", "image", "cpu", "memory",
    "memoryReservation", "environment", "secrets", "dependsOn", "logConfiguration", "options", "secretOptions", "dockerLabels",
    "firelensConfiguration", "portMappings", "containerPort", "hostPort", "mountPoints", "sourceVolume", "links", "healthCheck",
    "ulimits", "requiresCompatibilities", "executionRoleArn", "taskRoleArn", "essential", "logDriver", "key", "value", "user",
    "condition", "containerName", "logroute.dev/owner", "logroute.dev/original", "logroute.dev/digest", "command", "pidMode",
))  # fmt: skip
CONFIGS = (
    *files("tests/cases/**/*.conf"),
    b"[SERVICE]\n    Flush 1\n@SET A=b\n@INCLUDE x.conf\n[OUTPUT]\n    Name s3\n    bucket ${A}\n",
)
CLASSIC = (
    *(b"[OUTPUT]\n    Name s3\n    Match *\n", b"[FILTER]\n    Name modify\n", b"[PARSER]\n    Name x\n    Format regex\n    Regex ^(?<a>.)\n"),
    *(b'[MULTILINE_PARSER]\n    name m\n    type regex\n    rule "start_state" "/a/" "cont"\n', b'    rule "a" "b"\n', b"@INCLUDE x\n"),
    *(b"@SET A=${B}\n", b"    Match_Regex ^a.*\n", b"    [PROCESSORS]\n", b"        a b\n", b"    Record a b\n", b"    Add ${A} b\n", b"    Alias x\n"),
    *(b"    code function f() end\n", b"    script /x.lua\n", b"    Include_Pattern x\n", b"\t", b"    ", b"    header A b\n", b"    Regex log ^(a|b)\n"),
)  # fmt: skip
DEFINITIONS = files(
    "tests/cases/**/task-definition*.json", "tests/cases/seed/*.json", "controller/cli/demo_data/*.json"
)
WITH_ROUTER = b"""{"family": "x", "networkMode": "bridge", "volumes": [{"name": "v", "host": {}}], "tags": [{"key": "a", "value": "b"}], "containerDefinitions": [
{"name": "app", "image": "i", "cpu": 1, "memory": 5, "portMappings": [{"containerPort": 80}], "links": ["log_router:x"], "dependsOn": [{"containerName": "log_router", "condition": "START"}],
"logConfiguration": {"logDriver": "awsfirelens", "options": {"Name": "s3"}, "secretOptions": [{"name": "k", "valueFrom": "arn:aws:ssm:a:1:parameter/x"}]}},
{"name": "log_router", "image": "r", "firelensConfiguration": {"type": "fluentbit"}, "dockerLabels": {"logroute.dev/owner": "logroute", "logroute.dev/digest": "d",
"logroute.dev/original": "{\\"logConfiguration\\":{\\"app\\":\\"absent\\"},\\"volumes\\":[\\"v\\"],\\"size\\":{\\"cpu\\":[\\"1\\",\\"2\\"]},\\"empty\\":[\\"/volumes\\"]}"},
"environment": [{"name": "aws_fluent_bit_init_s3_1", "value": "arn:aws:s3:::store/logroute/ab/pipeline.conf"}]}]}"""
APPSPECS = (
    (b"version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: shop:7 # x\n"
    b'        LoadBalancerInfo: {ContainerName: app, ContainerPort: 80}\nHooks: [{BeforeAllowTraffic: "arn:check"}]\n'),
    b'{"version": 0.0, "resources": [{"a": {"type": "AWS::ECS::Service", "properties": {"TaskDefinition": "shop:7"}}}]}',
)  # fmt: skip
_SHARDS = tuple(orjson.dumps({"format": 1, "entries": {str(SERVICE): one}}) for one in GOOD.values())
_STATUS = orjson.dumps(
    {
        "format": 1,
        "revision": "r",
        "sourceError": "",
        "errors": {},
        "lostConfigs": [],
        "routes": {},
        "services": {},
        "problems": [],
    }
)
_ROWS = orjson.dumps({
    "format": 1, "revision": "r", "sourceError": "x", "errors": {"a": "b"}, "lostConfigs": ["c"],
    "problems": [{"file": "a", "line": 1, "column": 2, "code": "C", "message": "m"}],
    "routes": {"a/b": [{"condition": "Ready", "status": "True", "reason": "InSync", "message": "m"}]},
    "services": {"s": {"ready": True, "reason": "r", "message": "m", "drift": [{"reason": "r", "message": "n"}]}},
    "suspended": {"a/b": {"message": "m"}}, "rollouts": [{"id": "i", "begun": 1.5, "state": "Running", "why": "w"}],
})  # fmt: skip
_LEASES = (b'{"holder": "run.x.1", "epoch": 3, "nonce": "a", "since": "x"}', b'{"at": "x", "nonce": "b"}')
NOT_JSON = (orjson.JSONDecodeError, NotATaskDefinition)


def _message(data: bytes) -> object:
    """Of a queue: whatever it is, it only says where to look."""
    return [type(one).__name__ for one in hints.read(text(data))]


def _history(data: bytes) -> object:
    """What cannot be read is nothing; what can is written again as it was."""
    found = history._events(data)
    assert [Event.from_plain(one.as_plain()) for one in found] == found
    return len(found), {one.kind for one in history.bounded(found, 50, 20)}


_ARN = b"arn:aws:ecs:eu-west-1:123456789012:service/prod/web"
_MESSAGES = (
    b'{"source": "aws.ecs", "detail-type": "ECS Service Action", "resources": ["' + _ARN + b'"], "detail": {}}',
    b'{"source": "aws.s3", "detail-type": "Object Deleted", "detail": {"bucket": {"name": "b"}, "object": {"key": "k"}}}',
    b'{"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "a%2Bb+c"}}}]}',
    b'{"Type": "Notification", "Message": "{\\"Event\\": \\"s3:TestEvent\\"}"}',
    b'{"source": "aws.ecs", "detail-type": "AWS API Call via CloudTrail", "detail": {"eventName": "UpdateService", '
    b'"awsRegion": "eu-west-1", "userIdentity": {"accountId": "123456789012"}, "requestParameters": {"service": "web"}, '
    b'"responseElements": {"service": {"serviceArn": "' + _ARN + b'"}}}}',
)
_HISTORIES = (
    b'{"format": 1, "events": [{"at": 1.5, "kind": "RolledBack", "about": "main/r/c/s", "message": "m", "routes": ["a/b"]}]}',
)

TARGETS = (
    Target("classic", _classic, (ClassicError,), CONFIGS, CLASSIC),
    Target("presented", _presented, (NotStarted,), CONFIGS, CLASSIC),
    Target("import", _import, (ClassicError, Unimportable), CONFIGS, CLASSIC),
    Target("import-definition", _import_definition, (ClassicError, Unimportable, *NOT_JSON), DEFINITIONS, JSON_TOKENS + FIELDS, JSON_NESTS),
    Target("inject", _inject, (Refusal, ForeignRouter, *NOT_JSON), (*DEFINITIONS, WITH_ROUTER), JSON_TOKENS + FIELDS, JSON_NESTS),
    Target("restore", _described, (ForeignRouter, *NOT_JSON), (*DEFINITIONS, WITH_ROUTER), JSON_TOKENS + FIELDS, JSON_NESTS),
    Target("appspec", _appspec, (AppSpecUnusable,), APPSPECS, JSON_TOKENS + YAML_TOKENS, NESTS + JSON_NESTS),
    Target("state", _state, (), (*_SHARDS, *files("tests/cases/state/*/*.json")), JSON_TOKENS, JSON_NESTS),
    Target("notes", _notes, (), _SHARDS, (*JSON_TOKENS, b'"lines": ', b'"at": ', b'"blocked x": ', b'"suspended a/b": '), JSON_NESTS),
    Target("event-message", _message, (NotAnEvent,), _MESSAGES, (*JSON_TOKENS, b'"source": "aws.ecs"', b'"detail-type": ', b'"resources": ', b'"responseElements": ', b'"Records": '), JSON_NESTS),
    Target("history", _history, (), _HISTORIES, (*JSON_TOKENS, b'"kind": "Hint"', b'"at": ', b'"routes": '), JSON_NESTS),
    Target("lease", _lease, (), _LEASES, (*JSON_TOKENS, b'"epoch": ', b'"holder": ', b'"nonce": '), JSON_NESTS),
    Target("status", _status, (StatusError, orjson.JSONDecodeError), (_STATUS, _ROWS, *files("tests/cases/state/*/status.json")), JSON_TOKENS, JSON_NESTS),
)  # fmt: skip
