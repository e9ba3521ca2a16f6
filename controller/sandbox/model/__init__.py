"""The state of the simulated ECS: plain objects without behaviour of their own."""

from __future__ import annotations

from typing import Any

# A JSON object as ECS's API knows it. The shapes are botocore's; the sandbox checks requests against them.
Json = dict[str, Any]

__all__ = ["Json"]
