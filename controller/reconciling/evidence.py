"""What is read of one service beside its description, and only where it counts."""

from __future__ import annotations

from dataclasses import replace

from controller.applying.codedeploy import CodeDeployer
from controller.aws.ports import Ecs
from controller.observed.model import CODE_DEPLOY, ObservedService, observe_deployments, observe_tasks
from controller.planning.case import NO_EVIDENCE, Case
from controller.planning.evidence import Evidence
from controller.planning.memory import ServiceMemory, Stage
from controller.planning.others import HOLD_OFF


def gather(ecs: Ecs, deployer: CodeDeployer, service: ObservedService, memory: ServiceMemory | None) -> Evidence:
    """Nothing where nothing moves: neither a deployment nor a revision of ours. Raises AwsError."""
    if service.key.is_family:
        return NO_EVIDENCE
    elsewhere = service.controller == CODE_DEPLOY and memory is not None and memory.revision != service.task_definition
    moving = service.deploying or elsewhere or (memory is not None and memory.stage is not Stage.SETTLED)
    return history(ecs, deployer, service, memory) if moving else NO_EVIDENCE


def history(ecs: Ecs, deployer: CodeDeployer, service: ObservedService, memory: ServiceMemory | None) -> Evidence:
    """Service deployments. What each brings out is asked for only where the answer of our UpdateService was lost, and
    the service is elsewhere: then nothing else tells which of them is ours.
    """
    if service.controller == CODE_DEPLOY:
        return Evidence(deployer.history(service.key, memory))
    rows = ecs.service_deployments(service.key.cluster, service.key.service)
    found = observe_deployments(rows, {})
    lost = memory is not None and memory.stage is Stage.ASKED and memory.revision != service.task_definition
    if lost and found:
        revisions = ecs.revisions_of_services([one.revision_arn for one in found if one.revision_arn])
        found = observe_deployments(rows, revisions)
    return Evidence(found)


def with_tasks(ecs: Ecs, service: ObservedService, evidence: Evidence) -> Evidence:
    return replace(evidence, tasks=observe_tasks(ecs.tasks(service.key.cluster, service.key.service)))


def closer(ecs: Ecs, deployer: CodeDeployer, case: Case) -> Evidence:
    """Before a write: whose deployment ended last, and whether one of theirs fails because of the router in it."""
    service, evidence = case.service, case.evidence
    if service.key.is_family:
        return evidence  # a new revision of a family is no deployment
    if evidence.history is None:
        evidence = history(ecs, deployer, service, case.memory)
    newest, routed = evidence.newest, bool(case.watched.router)
    lasting = newest is not None and newest.ongoing and case.known.now - newest.created_at >= HOLD_OFF
    return with_tasks(ecs, service, evidence) if routed and lasting and evidence.tasks is None else evidence
