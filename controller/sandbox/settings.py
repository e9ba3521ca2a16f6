"""How fast the simulated ECS is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Seconds on the sandbox's clock. The defaults are some five times as fast as Fargate."""

    start_seconds: float = 5.0  # from a task's creation until it runs, or has failed to
    stop_seconds: float = 2.0  # from a stop until the task is STOPPED
    steady_seconds: float = 5.0  # how long the wanted tasks must run before a rollout is COMPLETED
    stopped_task_seconds: float = 3600.0  # ECS shows a stopped task for an hour (API reference, DescribeTasks)
    stage_seconds: float = 1.0  # the least that each lifecycle stage of a blue/green deployment lasts
    deployment_lag_seconds: float = 0.0  # how long a deployment is PENDING, and a request to stop one REQUESTED
    history_seconds: float = 90 * 86400.0  # how long service deployments and unused revisions are shown
    inactive_lag_seconds: float = 0.0  # how long ECS still starts tasks of an INACTIVE definition; up to 600
    delete_seconds: float = 60.0  # how long an unused definition stays DELETE_IN_PROGRESS
    throttle: bool = False  # whether ECS's own rates hold for callers
    lag_seconds: float = 0.0  # how long after a write Describe* and List* answer as before it
    daemon_instances: int = 1  # container instances that a DAEMON service finds
