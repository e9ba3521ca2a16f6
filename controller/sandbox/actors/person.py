"""Somebody at a console, who means well."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from controller.sandbox.actors.desk import ActorFailed, Desk
from controller.sandbox.actors.shapes import DeleteObject, PutObject, Redeploy, Retention, RollBack, Scale
from controller.sandbox.arns import short_name
from controller.sandbox.model import Json


@singledispatch
def act(told: Any, desk: Desk) -> Json:
    raise NotImplementedError(f"nobody knows how to do {told!r} with {desk!r}")


@act.register
def _roll_back(told: RollBack, desk: Desk) -> Json:
    return desk.deploy(told, _previous(told, desk) if told.to == "previous" else told.to)


def _previous(told: RollBack, desk: Desk) -> str:
    live = short_name(desk.live(told)["taskDefinition"])
    family, _, number = live.partition(":")
    pages = desk.ecs(told).get_paginator("list_task_definitions").paginate(familyPrefix=family, sort="DESC")
    names = [str(arn) for page in pages for arn in page["taskDefinitionArns"]]
    older = [arn for arn in names if int(arn.rpartition(":")[2]) < int(number)]
    if not older:
        raise ActorFailed(f"{family} has no ACTIVE revision before {live}")
    return older[0]


@act.register
def _scale(told: Scale, desk: Desk) -> Json:
    desk.ecs(told).update_service(cluster=told.cluster, service=told.service, desiredCount=told.count)
    return {"service": told.service, "desired_count": told.count}


@act.register
def _redeploy(told: Redeploy, desk: Desk) -> Json:
    desk.ecs(told).update_service(cluster=told.cluster, service=told.service, forceNewDeployment=True)
    return {"service": told.service}


@act.register
def _put_object(told: PutObject, desk: Desk) -> Json:
    desk.clients("s3", told.region).put_object(Bucket=told.bucket, Key=told.key, Body=told.content.encode())
    return {"object": f"s3://{told.bucket}/{told.key}"}


@act.register
def _delete_object(told: DeleteObject, desk: Desk) -> Json:
    desk.clients("s3", told.region).delete_object(Bucket=told.bucket, Key=told.key)
    return {"object": f"s3://{told.bucket}/{told.key}"}


@act.register
def _retention(told: Retention, desk: Desk) -> Json:
    logs = desk.clients("logs", told.region)
    if told.days:
        logs.put_retention_policy(logGroupName=told.log_group, retentionInDays=told.days)
    else:
        logs.delete_retention_policy(logGroupName=told.log_group)
    return {"log_group": told.log_group, "days": told.days}
