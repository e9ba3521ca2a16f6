"""CreateCluster, DescribeClusters, ListClusters, DeleteCluster."""

from __future__ import annotations

from controller.sandbox.arns import is_arn, short_name
from controller.sandbox.ecs.call import Call, Operation, missing
from controller.sandbox.ecs.paging import page
from controller.sandbox.errors import (
    ClusterContainsServicesError,
    ClusterContainsTasksError,
    InvalidParameterError,
)
from controller.sandbox.model import Json
from controller.sandbox.model.world import Cluster
from controller.sandbox.registration.task_fields import NAME
from controller.sandbox.tags import tag_problems

_KEPT = (
    "settings",
    "configuration",
    "capacityProviders",
    "defaultCapacityProviderStrategy",
    "serviceConnectDefaults",
)
_MOST_DESCRIBED = 100


def create_cluster(call: Call) -> Json:
    """Creating a cluster again answers with the one that is there."""
    request, name = call.request, call.request.get("clusterName", "default")
    if not NAME.fullmatch(name):
        raise InvalidParameterError("Invalid cluster name.")
    if problem := next(tag_problems(request["tags"]) if request.get("tags") else iter(()), None):
        raise InvalidParameterError(problem)
    cluster = call.region.clusters.get(name)
    if cluster is None or cluster.status != "ACTIVE":
        configuration = {key: request[key] for key in _KEPT if key in request}
        cluster = Cluster(name, call.region.arns.cluster(name), configuration, request.get("tags", []))
        call.region.clusters[name] = cluster
    return {"cluster": _described(cluster, frozenset({"SETTINGS", "CONFIGURATIONS", "TAGS"}))}


def describe_clusters(call: Call) -> Json:
    names: list[str] = call.request.get("clusters", ["default"])
    if len(names) > _MOST_DESCRIBED:
        raise InvalidParameterError(f"Clusters cannot have more than {_MOST_DESCRIBED} elements.")
    found, failures = [], []
    for name in names:
        if cluster := call.region.clusters.get(short_name(name)):
            found.append(_described(cluster, frozenset(call.request.get("include", []))))
        else:
            failures.append(missing(name if is_arn(name) else call.region.arns.cluster(name)))
    return {"clusters": found, "failures": failures}


def list_clusters(call: Call) -> Json:
    arns = [cluster.arn for cluster in call.region.clusters.values() if cluster.status == "ACTIVE"]
    return page("clusterArns", arns, call.request)


def delete_cluster(call: Call) -> Json:
    cluster = call.cluster_named(call.request["cluster"])
    if any(service.status != "INACTIVE" for service in cluster.services.values()):
        raise ClusterContainsServicesError("The Cluster cannot be deleted while Services are active.")
    if any(not task.stopped for task in cluster.tasks.values()):
        raise ClusterContainsTasksError("The Cluster cannot be deleted while Tasks are active.")
    cluster.status = "INACTIVE"
    return {"cluster": _described(cluster, frozenset())}


def _described(cluster: Cluster, include: frozenset[str]) -> Json:
    tasks = cluster.tasks.values()
    configuration = cluster.configuration
    answer: Json = {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": sum(task.running for task in tasks),
        "pendingTasksCount": sum(task.wanted and not task.running for task in tasks),
        "activeServicesCount": sum(service.status == "ACTIVE" for service in cluster.services.values()),
        "statistics": [],
        "tags": cluster.tags if "TAGS" in include else [],
        "settings": configuration.get("settings", []) if "SETTINGS" in include else [],
        "capacityProviders": configuration.get("capacityProviders", []),
        "defaultCapacityProviderStrategy": configuration.get("defaultCapacityProviderStrategy", []),
    }
    if "CONFIGURATIONS" in include and "configuration" in configuration:
        answer["configuration"] = configuration["configuration"]
    if "serviceConnectDefaults" in configuration:
        answer["serviceConnectDefaults"] = configuration["serviceConnectDefaults"]
    return answer


OPERATIONS: dict[str, Operation] = {
    "CreateCluster": create_cluster,
    "DescribeClusters": describe_clusters,
    "ListClusters": list_clusters,
    "DeleteCluster": delete_cluster,
}
