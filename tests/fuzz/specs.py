"""What people write: specs, settings, and the small languages in them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from controller import settings
from controller.api.tenants import Tenant
from controller.settings import SettingsError
from controller.specs.load import load
from controller.specs.tenancy import Tenancy
from tests.fuzz.corpus import files
from tests.fuzz.target import Target

YAML_TOKENS = (
    *(b"---\n", b"...\n", b"- ", b"? ", b": ", b"&a ", b"*a ", b"!x ", b"!!str ", b"!!binary ", b"!!float ", b"!!timestamp "),
    *(b"|\n", b">\n", b"|9+\n", b"%YAML 1.1\n", b"%TAG ! tag:x,2000:\n", b"<<: *a\n", b"  ", b"\n", b"{a: ", b"- - ", b"'", b'"'),
    *(b'"\\x00"', b'"\\ud800"', b"1_0", b"1:0:0", b".inf", b"0o9", b"0b2", b"2001-02-30", b"= ", b"~", b"#", b"\t"),
)  # fmt: skip
SPEC_TOKENS = (
    *(b"apiVersion: logroute.dev/v1alpha1\n", b"kind: LogRoute\n", b"kind: LogOutput\n", b"kind: LogRouterClass\n"),
    *(b"metadata: {name: a}\n", b"spec:\n", b"  target: {taskFamilies: [x]}\n", b"  pipeline:\n", b"match: ", b"match_regex: "),
    *(b"outputs:\n    - {name: s3, bucket: b, region: eu-west-1}\n", b"filters:\n", b"parsers:\n", b"multiline_parsers:\n"),
    *(b"regex: ", b"rules: ", b"^(?<a>x)$", b"(?:", b"\\k<a>", b"[[:alpha:]]", b"[^]]", b"$TAG[0]", b"$a['b']", b"${A}", b"1G"),
    *(b"windows: [{cron: '* * * * *', duration: 1h}]", b"ref: ", b"10%", b"15m", b"ignore: ['/container/']", b"secrets: "),
    *(b"alias: ", b"code: ", b"record: ", b"rename: a b", b"wildcard: ", b"condition: ", b"container: {", b"health: {mode: deep}"),
)  # fmt: skip
NESTS = ((b"[", b"]"), (b"{a: ", b"}"), (b"- ", b""), (b"? ", b""), (b"(", b")"), (b"[a: ", b"]"), (b'"\\', b'"'))


def _specs(data: bytes) -> object:
    """How it ended is which problems there are."""
    found = load("r", {"a.yaml": data}, lua=True)
    for problem in found.problems:
        str(problem)
        assert "\n" not in problem.message
    return sorted({problem.code for problem in found.problems}), len(found.routes)


def _tenants(data: bytes) -> object:
    """In a file of one tenant: the others have what they have, whatever it holds."""
    found = load("r", {**OTHERS, "teams/web/a.yaml": data}, tenancy=TENANCY)
    others = [route for route in found.routes if route.file != "teams/web/a.yaml"]
    assert others == list(load("r", OTHERS, tenancy=TENANCY).routes)
    assert not [one for one in found.routes if not one.key.startswith("web/") and one not in others]
    return sorted({problem.code for problem in found.problems}), len(found.routes)


def _settings(data: bytes) -> object:
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        file.write(data)
        file.flush()
        return len(str(settings.load(Path(file.name))))


SPECS = files("specs/*.yaml", "docs/examples/*.yaml", "tests/cases/**/*.yaml", "controller/cli/demo_data/*.yaml")
TENANCY = Tenancy(
    (
        Tenant.model_validate(
            {"namespaces": ["web"], "paths": ["teams/web/"], "clusters": ["web-*"], "outputs": ["s3"]}
        ),
        Tenant.model_validate({"namespaces": ["pay"], "paths": ["teams/pay/"]}),
    )
)
_ROUTE = b"""apiVersion: logroute.dev/v1alpha1
kind: LogRoute
metadata: {name: r, namespace: pay}
spec:
  target: {cluster: web-1, services: [a]}
  pipeline:
    outputs: [{ref: o}, {name: s3, bucket: b, region: eu-west-1, s3_key_format: /$UUID}]
"""
_OUTPUT = b"""apiVersion: logroute.dev/v1alpha1
kind: LogOutput
metadata: {name: o, namespace: pay}
spec: {name: s3, bucket: b, region: eu-west-1}
"""
_CLASS = b"apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {name: default}\nspec: {}\n"
OTHERS = {"teams/pay/r.yaml": _ROUTE, "teams/pay/o.yaml": _OUTPUT, "class.yaml": _CLASS}
HOSTILE = (
    *OTHERS.values(),
    _ROUTE.replace(b"pay", b"web"),
    _OUTPUT.replace(b"pay", b"web"),
    b"---\n".join(OTHERS.values()),
)
ALL_SETTINGS = b"""source: git+https://git.example.com/team/specs.git@main#path=specs
configStore: s3://bucket-{account}/{region}
owner: logroute
region: eu-west-1
accounts: {main: {regions: [eu-west-1], clusters: ["web-*"]}, other: {roleArn: "arn:aws:iam::123456789012:role/x", shards: {a: [b]}}}
lease: dynamodb://leases
listen: "[::1]:9090"
poll: 30s
resync: 1h30m
guards: {maxShare: 20%, maxCount: 3, firstRun: plan, self: allow}
limits: {share: 50%}
garbage: {configs: off, graceDays: 30, revisions: dry-run, keepRevisions: 10}
fluentBit: {5.1: /opt/fluent-bit, "5.0.9": /x}
lua: allow
git: {tokenFile: /run/token, sshKeyFile: /k, knownHostsFile: /h, verify: {mode: tag, keys: [/a], revoked: [/b]}}
s3: {bucketOwner: "123456789012", versioning: require, verify: {keys: [/a]}}
preflight: warn
readOnly: true
deny: {accounts: [a, "123456789012"], clusters: ["x-*"]}
tenants: [{namespaces: [a, "b-*"], paths: [t/, "**/x?.yaml"], accounts: [main], clusters: [c], services: [d], classes: [default], outputs: [s3, a/b], mayOverrideRouter: true}]
"""

TARGETS = (
    Target("specs", _specs, (), SPECS, YAML_TOKENS + SPEC_TOKENS, NESTS),
    Target("tenants", _tenants, (), HOSTILE, (*YAML_TOKENS, *SPEC_TOKENS, b"pay", b"web", b"namespace: "), NESTS),
    Target(
        "settings",
        _settings,
        (SettingsError,),
        (ALL_SETTINGS, *(line + b"\n" for line in ALL_SETTINGS.splitlines()), *files("deploy/settings.example.yaml")),
        YAML_TOKENS,
        NESTS,
    ),
)
