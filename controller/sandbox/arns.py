"""ECS's ARNs, in the long format that holds the cluster's name."""

from __future__ import annotations

from dataclasses import dataclass

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def partition_of(region: str) -> str:
    return next((partition for prefix, partition in _PARTITIONS.items() if region.startswith(prefix)), "aws")


@dataclass(frozen=True, slots=True)
class Arns:
    """Makes the ARNs of one account and region."""

    account: str
    region: str

    def _arn(self, resource: str) -> str:
        return f"arn:{partition_of(self.region)}:ecs:{self.region}:{self.account}:{resource}"

    def cluster(self, name: str) -> str:
        return self._arn(f"cluster/{name}")

    def service(self, cluster: str, name: str) -> str:
        return self._arn(f"service/{cluster}/{name}")

    def task(self, cluster: str, task_id: str) -> str:
        return self._arn(f"task/{cluster}/{task_id}")

    def container(self, cluster: str, task_id: str, container_id: str) -> str:
        return self._arn(f"container/{cluster}/{task_id}/{container_id}")

    def task_definition(self, family: str, revision: int) -> str:
        return self._arn(f"task-definition/{family}:{revision}")

    def service_deployment(self, cluster: str, service: str, token: str) -> str:
        return self._arn(f"service-deployment/{cluster}/{service}/{token}")

    def service_revision(self, cluster: str, service: str, number: str) -> str:
        return self._arn(f"service-revision/{cluster}/{service}/{number}")

    def task_set(self, cluster: str, service: str, task_set: str) -> str:
        return self._arn(f"task-set/{cluster}/{service}/{task_set}")


def is_arn(text: str) -> bool:
    return text.startswith("arn:")


def resource_type(arn: str) -> str:
    """`service` of `arn:aws:ecs:…:service/cluster/name`; "" where there is none."""
    resource = arn.split(":", 5)[-1] if is_arn(arn) else ""
    return resource.split("/", 1)[0] if "/" in resource else ""


def path(arn: str) -> list[str]:
    """The parts after the resource's type: `["cluster", "name"]` of a service's ARN."""
    return arn.split("/")[1:]


def short_name(name_or_arn: str) -> str:
    """A name stays what it is; of an ARN, its last part."""
    return name_or_arn.rsplit("/", 1)[-1] if is_arn(name_or_arn) else name_or_arn
