"""Spec files as teams write them: about a kilobyte each, of several sorts, every name another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

REGION = "eu-central-1"
DAYS = 14
"""How long each service's log group keeps its events."""
TEAMS = ("web", "shop", "billing", "search", "media", "data", "mobile", "core")
LEVELS = ("debug", "trace", "healthcheck", "metrics", "heartbeat")

CLOUDWATCH = """\
      - name: cloudwatch_logs
        alias: cw
        region: {region}
        log_key: log
        log_group_name: /{team}/{name}
        log_stream_prefix: {name}/
        auto_create_group: Off
        retry_limit: 5
"""
S3 = """\
      - name: s3
        bucket: {team}-logs-archive
        region: {region}
        total_file_size: 250M
        upload_timeout: 10m
        compression: gzip
        s3_key_format: /{team}/{name}/%Y/%m/%d/%H_%M_$UUID.gz
        static_file_path: On
"""
FIREHOSE = """\
      - name: kinesis_firehose
        alias: lake
        region: {region}
        delivery_stream: {team}-{name}
        time_key: ts
        time_key_format: "%Y-%m-%dT%H:%M:%S"
"""
STREAMS = """\
      - name: kinesis_streams
        region: {region}
        stream: {team}-events
        time_key: ts
        time_key_format: "%Y-%m-%dT%H:%M:%S.%L"
        retry_limit: 10
"""
STDOUT = """\
      - {{name: stdout, format: json_lines}}
"""
OUTPUTS = (CLOUDWATCH + S3, CLOUDWATCH + FIREHOSE, STREAMS + S3 + STDOUT, CLOUDWATCH + STDOUT, S3 + FIREHOSE)

GREP = """\
      - {{name: grep, exclude: log {level}}}
"""
MODIFY = """\
      - name: modify
        add: team {team}
        rename: container_name container
        remove: container_id
"""
RECORDS = """\
      - name: record_modifier
        record: [service {name}, team {team}]
        remove_key: source
"""
FILTERS = (GREP, GREP + MODIFY, MODIFY + RECORDS, RECORDS + GREP)


def route(number: int, cluster: str, services: Sequence[str]) -> str:
    """A LogRoute; what it asks for depends on `number`."""
    team, level = TEAMS[number % len(TEAMS)], LEVELS[number % len(LEVELS)]
    named = {"name": f"svc-{number:05}", "team": team, "level": level, "region": REGION}
    head = f"""\
# Logs of {named["name"]}, owned by {team}.
apiVersion: logroute.dev/v1alpha1
kind: LogRoute
metadata:
  name: {named["name"]}
  namespace: {team}
  labels: {{tier: {"front" if number % 2 else "back"}, owner: {team}}}
spec:
  priority: {number % 4}
  target:
    cluster: {cluster}
    services: [{", ".join(f'"{one}"' for one in services)}]
    containers: [app]
"""
    filters = FILTERS[number % len(FILTERS)].format(**named)
    outputs = OUTPUTS[number % len(OUTPUTS)].format(**named)
    groups = f"  logGroups:\n    - {{name: /{team}/{named['name']}, retentionDays: {DAYS}}}\n"
    return f"{head}  pipeline:\n    filters:\n{filters}    outputs:\n{outputs}{groups}"


def files(count: int) -> Iterator[tuple[str, bytes]]:
    """`count` files by path: one route each, for one service each."""
    for number in range(count):
        text = route(number, "main", [f"svc-{number:05}"])
        yield f"{TEAMS[number % len(TEAMS)]}/svc-{number:05}.yaml", text.encode()
