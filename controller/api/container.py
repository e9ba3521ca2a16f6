"""The router container of a LogRouterClass: any field of an ECS container definition but the owned ones.

Field names, types and enums are those of ECS's ContainerDefinition (Amazon ECS API reference). A test holds
this file against the installed botocore, so that a new ECS field is noticed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from controller.api.values import Bool, Int, Model, Scalar, Text

INIT_ENV_PREFIX = "aws_fluent_bit_init_"
OWN_LABEL_PREFIX = "logroute.dev/"

Mebibytes = Annotated[Int, Field(ge=6)]
ContainerName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,255}$")]
NumericUser = Annotated[str, StringConstraints(pattern=r"^[0-9]+(:[A-Za-z0-9_.-]+)?$")]


class KeyValue(Model):
    name: Text
    value: Scalar = ""


class Secret(Model):
    name: Text
    value_from: Text


class MountPoint(Model):
    source_volume: Text
    container_path: Text
    read_only: Bool | None = None


class VolumeFrom(Model):
    source_container: Text
    read_only: Bool | None = None


class PortMapping(Model):
    container_port: Int | None = None
    host_port: Int | None = None
    protocol: Literal["tcp", "udp"] | None = None
    name: str | None = None
    app_protocol: Literal["http", "http2", "grpc"] | None = None
    container_port_range: str | None = None


class LogConfiguration(Model):
    log_driver: Literal["json-file", "syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "awsfirelens"]
    options: dict[str, Scalar] = Field(default_factory=dict)
    secret_options: tuple[Secret, ...] = ()


class HealthCheck(Model):
    command: tuple[str, ...]
    interval: Int | None = None
    timeout: Int | None = None
    retries: Int | None = None
    start_period: Int | None = None


class RestartPolicy(Model):
    enabled: Bool
    ignored_exit_codes: tuple[Int, ...] = ()
    restart_attempt_period: Int | None = None


class Ulimit(Model):
    name: Text
    soft_limit: Int
    hard_limit: Int


class RouterContainer(Model):
    """Omitted fields stay out of the definition; ECS's defaults hold for them."""

    # Many threads write it out, and pydantic does not guard a first use by several of them.
    model_config = ConfigDict(defer_build=False)

    name: ContainerName = "log_router"
    essential: Bool = True
    cpu: Int = Field(0, ge=0)
    memory: Mebibytes | None = None
    memory_reservation: Mebibytes | None = 128
    user: NumericUser = "0"
    stop_timeout: Int = Field(60, ge=2, le=120)
    start_timeout: Int | None = Field(None, ge=2, le=120)
    environment: tuple[KeyValue, ...] = ()
    environment_files: tuple[dict[str, str], ...] = ()
    secrets: tuple[Secret, ...] = ()
    mount_points: tuple[MountPoint, ...] = ()
    volumes_from: tuple[VolumeFrom, ...] = ()
    port_mappings: tuple[PortMapping, ...] = ()
    log_configuration: LogConfiguration | None = None
    health_check: HealthCheck | None = None
    restart_policy: RestartPolicy | None = None
    ulimits: tuple[Ulimit, ...] = ()
    docker_labels: dict[str, Scalar] = Field(default_factory=dict)
    repository_credentials: dict[Literal["credentialsParameter"], str] | None = None
    readonly_root_filesystem: Bool | None = None
    privileged: Bool | None = None
    interactive: Bool | None = None
    pseudo_terminal: Bool | None = None
    disable_networking: Bool | None = None
    version_consistency: Literal["enabled", "disabled"] | None = None
    hostname: str | None = None
    working_directory: str | None = None
    links: tuple[str, ...] = ()
    dns_servers: tuple[str, ...] = ()
    dns_search_domains: tuple[str, ...] = ()
    docker_security_options: tuple[str, ...] = ()
    extra_hosts: tuple[dict[Literal["hostname", "ipAddress"], str], ...] = ()
    system_controls: tuple[dict[Literal["namespace", "value"], str], ...] = ()
    credential_specs: tuple[str, ...] = ()
    linux_parameters: dict[str, Any] | None = None
    resource_requirements: tuple[dict[str, Any], ...] = ()

    @field_validator("environment", "secrets")
    @classmethod
    def _init_variables_are_ours(cls, value: tuple[KeyValue | Secret, ...]) -> tuple[KeyValue | Secret, ...]:
        for pair in value:
            if INIT_ENV_PREFIX in pair.name.lower():
                raise PydanticCustomError(
                    "owned_env",
                    "{name} is LogRoute's: it names the config that the router loads",
                    {"name": pair.name},
                )
        return value

    @field_validator("docker_labels")
    @classmethod
    def _mark_is_ours(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name.startswith(OWN_LABEL_PREFIX):
                raise PydanticCustomError("owned_label", "labels under logroute.dev/ are LogRoute's own mark")
        return value

    @field_validator("log_configuration")
    @classmethod
    def _no_loop(cls, value: LogConfiguration | None) -> LogConfiguration | None:
        if value and value.log_driver == "awsfirelens":
            raise PydanticCustomError("router_loop", "the router's own logs cannot go through the router")
        return value
