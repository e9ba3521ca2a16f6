"""ECS with services that never change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tests.bench import bodies
from tests.bench.wire import Reply


class Ecs:
    """`clusters`: cluster → the names of its services."""

    def __init__(self, clusters: Mapping[str, list[str]]) -> None:
        self._clusters = clusters

    def answer(self, operation: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        del url, headers
        asked = orjson.loads(body or b"{}")
        answers: dict[str, Callable[[Any], bytes]] = {
            "ListServices": self._list,
            "DescribeServices": lambda asked: bodies.services(asked["cluster"], asked["services"]),
            "DescribeTaskDefinition": lambda asked: bodies.described(asked["taskDefinition"]),
        }
        if operation not in answers:
            return Reply(400, orjson.dumps({"__type": "InvalidAction", "message": f"no {operation} here"}))
        return Reply(200, answers[operation](asked), {"content-type": "application/x-amz-json-1.1"})

    def _list(self, asked: Mapping[str, Any]) -> bytes:
        cluster, start, size = asked["cluster"], int(asked.get("nextToken", 0)), int(asked.get("maxResults", 10))
        names = self._clusters[cluster]
        page = [bodies.service_arn(cluster, name) for name in names[start : start + size]]
        more = {"nextToken": str(start + size)} if start + size < len(names) else {}
        return orjson.dumps({"serviceArns": page, **more})
