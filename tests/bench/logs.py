"""CloudWatch Logs in which every group is there, as the specs ask."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from tests.bench.wire import Reply


class Logs:
    def __init__(self, days: int) -> None:
        self._days = days

    def answer(self, operation: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        del url, headers
        if operation != "DescribeLogGroups":
            return Reply(400, orjson.dumps({"__type": "InvalidAction", "message": f"no {operation} here"}))
        rows = [
            {"logGroupName": name, "retentionInDays": self._days} for name in orjson.loads(body)["logGroupIdentifiers"]
        ]
        return Reply(200, orjson.dumps({"logGroups": rows}), {"content-type": "application/x-amz-json-1.1"})
