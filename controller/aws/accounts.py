"""Sessions and clients per account and region. The only place that makes a boto3 session."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import RefreshableCredentials

from controller.api.keys import Place
from controller.aws.calls import NOBODY, Caller, Observer
from controller.aws.ecs import BotoEcs, RevisionCache
from controller.aws.failures import translate
from controller.aws.limiter import Limiter
from controller.aws.logs import CloudWatchLogGroups
from controller.aws.objects import S3Bucket

CLIENTS = Config(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=20,
    user_agent_extra="logroute",
)


@dataclass(frozen=True, slots=True)
class Role:
    """How to get into an account: nothing (the controller's own credentials), or a role with an external id."""

    arn: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    share: float = 0.5
    observer: Observer = NOBODY
    waited: Callable[[str, float], None] = field(default=lambda _family, _seconds: None)


def as_it_came(value: Any) -> Any:
    """Timestamps stay numbers: parsing them is nearly all of DescribeServices's CPU time."""
    return value


class AwsAccount:
    """One account and region, as ports.Account. Clients are made when first asked for."""

    def __init__(self, place: Place, role: Role, options: Options) -> None:
        self.place, self.region, self._role, self._options = place, place.region, role, options
        self._limiter = Limiter(options.share, options.waited)
        self._lock, self._making = threading.Lock(), threading.Lock()  # boto3 sessions are not thread safe
        self._buckets: dict[str, S3Bucket] = {}

    @cached_property
    def account_id(self) -> str:
        return str(self._caller("sts")("GetCallerIdentity", f"account {self.place.account}")["Account"])

    @cached_property
    def ecs(self) -> BotoEcs:
        return BotoEcs(self._caller("ecs"), RevisionCache())

    @cached_property
    def logs(self) -> CloudWatchLogGroups:
        return CloudWatchLogGroups(self._caller("logs"))

    @cached_property
    def secrets(self) -> SecretsManager:
        return SecretsManager(self._caller("secretsmanager"))

    def bucket(self, name: str) -> S3Bucket:
        with self._lock:
            if name not in self._buckets:
                self._buckets[name] = S3Bucket(self._s3, name)
            return self._buckets[name]

    @cached_property
    def _s3(self) -> Caller:
        return self._caller("s3")

    def _caller(self, service: str) -> Caller:
        with self._making:
            client = self._session.client(service, region_name=self.region or None, config=CLIENTS)  # type: ignore[call-overload]
        return Caller(client, self._limiter, self._options.observer)

    @cached_property
    def _session(self) -> boto3.Session:
        base = botocore.session.get_session()
        if self._role.arn:
            base = _assumed(self._role, self.region)
        base.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=as_it_came)
        return boto3.Session(botocore_session=base)


class SecretsManager:
    """ports.Secrets."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    def get(self, arn: str) -> str:
        return str(self._call("GetSecretValue", f"secret {arn}", SecretId=arn)["SecretString"])


def default_region() -> str | None:
    """Botocore's own choice: the profile's, or the environment's."""
    region: str | None = boto3.Session().region_name
    return region


def _assumed(role: Role, region: str) -> botocore.session.Session:
    """A session whose credentials come from the role and renew themselves."""
    home = boto3.Session()

    def fetch() -> dict[str, str]:
        extra = {"ExternalId": role.external_id} if role.external_id else {}
        try:
            answer = home.client("sts", region_name=region).assume_role(
                RoleArn=str(role.arn), RoleSessionName="logroute", **extra
            )
        except Exception as error:
            raise translate("sts:AssumeRole", str(role.arn), error) from error
        given = answer["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    session = botocore.session.get_session()
    session._credentials = RefreshableCredentials.create_from_metadata(fetch(), fetch, "sts-assume-role")  # type: ignore[attr-defined]  # noqa: SLF001 - botocore offers no other way in
    return session
