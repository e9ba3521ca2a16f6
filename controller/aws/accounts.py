"""Sessions and clients per account and region. The only place that makes a boto3 session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, TypeVar

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError

from controller.api.keys import Place
from controller.aws.calls import NOBODY, Caller, Fence, Observer, no_fence
from controller.aws.codedeploy import BotoCodeDeploy
from controller.aws.destinations import BotoDestinations
from controller.aws.ecs import BotoEcs
from controller.aws.failures import translate
from controller.aws.leases import LeaseTable
from controller.aws.limiter import Limiter
from controller.aws.logs import CloudWatchLogGroups
from controller.aws.objects import S3Bucket
from controller.aws.operations import BY_THE_LISTS, Guard
from controller.aws.ports import AwsError
from controller.aws.queues import SqsQueue
from controller.aws.revisions import RevisionCache
from controller.aws.rights import BotoIam
from controller.aws.schedules import BotoSchedules
from controller.aws.topics import SnsTopic

T = TypeVar("T")

CLIENTS = Config(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=20,
    user_agent_extra="logroute",
)


IMPATIENT = CLIENTS.merge(Config(connect_timeout=2, read_timeout=3))
"""For beats: an answer that comes later is none."""


@dataclass(frozen=True, slots=True)
class Role:
    """How to get into an account: nothing (the controller's own credentials), or a role with an external id."""

    arn: str | None = None
    external_id: str | None = None


def no_fences(_place: Place | None) -> Fence:
    return no_fence


Waited = Callable[[Place, str, float], None]
"""Who is told for how long a call waited for its budget: where, for which API family, and seconds."""


@dataclass(frozen=True, slots=True)
class Options:
    share: float = 0.5
    observer: Observer = NOBODY
    waited: Waited = field(default=lambda _place, _family, _seconds: None)
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    revisions: RevisionCache | None = None
    fences: Callable[[Place | None], Fence] = no_fences
    """What stands before the writes of a place, and of what all share (None)."""
    config: Config = CLIENTS
    attempts: int = 6
    """Of a call that has no answer."""
    hides: Callable[[str], None] = lambda _secret: None
    """Who is to know what must never show."""
    guard: Guard = BY_THE_LISTS
    """What may be sent at all."""


def as_it_came(value: Any) -> Any:
    """Timestamps stay numbers: parsing them is nearly all of DescribeServices's CPU time."""
    return value


class AwsAccount:
    """One account and region, as ports.Account. Clients are made when first asked for; nothing is contacted
    before the first call, so that a role which cannot be assumed fails that call and nothing else.
    """

    def __init__(self, place: Place, role: Role, options: Options) -> None:
        self.place, self.region, self._role, self._options = place, place.region, role, options
        self._limiter = Limiter(options.share, partial(options.waited, place), options.monotonic, options.sleep)
        self._making = threading.RLock()  # boto3 sessions are not thread safe
        self._made: dict[str, Any] = {}

    @property
    def account_id(self) -> str:
        """Asked of STS, once."""
        if "id" not in self._made:
            self._made["id"] = str(self._identity("GetCallerIdentity", self._name, expects="Account")["Account"])
        return str(self._made["id"])

    @property
    def ecs(self) -> BotoEcs:
        return self._once("ecs", lambda: BotoEcs(self._caller("ecs"), self._options.revisions))

    @property
    def logs(self) -> CloudWatchLogGroups:
        return self._once("logs", lambda: CloudWatchLogGroups(self._caller("logs")))

    @property
    def schedules(self) -> BotoSchedules:
        return self._once("schedules", lambda: BotoSchedules(self._caller("events"), self._caller("scheduler")))

    @property
    def codedeploy(self) -> BotoCodeDeploy:
        return self._once("codedeploy", lambda: BotoCodeDeploy(self._caller("codedeploy")))

    @property
    def iam(self) -> BotoIam:
        return self._once("iam", lambda: BotoIam(self._caller("iam")))

    @property
    def destinations(self) -> BotoDestinations:
        return self._once("destinations", lambda: BotoDestinations(self._elsewhere))

    def _elsewhere(self, service: str, region: str) -> Caller:
        """`region` "": this one."""
        there = region or self.region
        return self._once(f"{service} in {there}", lambda: self._calling(self.client(service, there), self.place))

    def table(self, name: str, installation: str) -> LeaseTable:
        return self._once(f"dynamodb {name}", lambda: LeaseTable(self._caller("dynamodb"), name, installation))

    @property
    def secrets(self) -> SecretsManager:
        return self._once("secrets", lambda: SecretsManager(self._caller("secretsmanager")))

    def queue(self, url: str) -> SqsQueue:
        return self._once(f"queue {url}", lambda: SqsQueue(self._caller("sqs"), url))

    def topic(self, arn: str) -> SnsTopic:
        """In whichever region its ARN says."""
        call = self._elsewhere("sns", arn.split(":")[3])
        return self._once(f"topic {arn}", lambda: SnsTopic(call, arn))

    def bucket(self, name: str) -> S3Bucket:
        return self._once(f"s3://{name}", lambda: S3Bucket(self._s3, name))

    def source_bucket(self, name: str, owner: str | None) -> S3Bucket:
        """The same, for specs."""
        return S3Bucket(self._s3, name, owner)

    def shared_bucket(self, name: str) -> S3Bucket:
        """The same, for state that all replicas write."""
        return self._once(f"shared s3://{name}", lambda: S3Bucket(self._shared_s3, name))

    @property
    def _s3(self) -> Caller:
        return self._once("s3", lambda: self._caller("s3"))

    @property
    def _shared_s3(self) -> Caller:
        return self._once("shared s3", lambda: self._calling(self._s3.client, None))

    @property
    def _identity(self) -> Caller:
        return self._once("sts", lambda: self._caller("sts"))

    def _once(self, name: str, make: Callable[[], T]) -> T:
        with self._making:
            if name not in self._made:
                self._made[name] = make()
            found: T = self._made[name]
            return found

    def _caller(self, service: str) -> Caller:
        return self._calling(self.client(service), self.place)

    def _calling(self, client: Any, place: Place | None) -> Caller:
        options = self._options
        fence = options.fences(place)
        return Caller(client, self._limiter, options.observer, options.sleep, options.attempts, fence)

    def client(self, service: str, region: str = "") -> Any:
        """The client itself, for who judges single answers. `region` "": this one. Raises AwsError."""
        session = self._once("session", self._session)
        try:
            with _MODELS:
                made = session.client(service, region_name=region or self.region or None, config=self._options.config)  # type: ignore[call-overload]
        except (BotoCoreError, ValueError) as error:
            raise translate(service, self._name, error) from error
        self._options.guard.watch(made)
        _hide_keys(made, session, self._options.hides)
        return made

    def _session(self) -> boto3.Session:
        try:
            base = botocore.session.get_session()
            if self._role.arn:
                base = _assumed(self._role, self.region, self._limiter, self._options)
            base.register_component("data_loader", _models(base.get_config_variable("data_path")))
            base.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=as_it_came)
            return boto3.Session(botocore_session=base)
        except BotoCoreError as error:
            raise translate("session", self._name, error) from error

    @property
    def _name(self) -> str:
        return f"account {self.place}"


def _hide_keys(client: Any, session: boto3.Session, hides: Callable[[str], None]) -> None:
    """Whatever signed a request, from whichever provider it came and however often it changes. Asking for it anew could
    renew it, so it is taken as it lies there.
    """

    def tell(**_: Any) -> None:
        found: Any = session.get_credentials()
        keys = getattr(found, "_frozen_credentials", found)
        for secret in filter(None, (getattr(keys, name, None) for name in ("secret_key", "token"))):
            hides(secret)

    client.meta.events.register_first("before-send", tell)


_MODELS = threading.Lock()
"""Held while a client is made: botocore works on a model that it reads, and all accounts share them."""


@cache
def _models(data_path: str | None) -> botocore.loaders.Loader:
    """One for the process: reading AWS's models is nearly all that a new session takes, in time and memory."""
    return botocore.loaders.create_loader(data_path)


class SecretsManager:
    """ports.Secrets."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    def get(self, arn: str) -> str:
        """Raises AwsError, also where the secret holds bytes and no text."""
        answer = self._call("GetSecretValue", f"secret {arn}", expects="ARN", SecretId=arn)
        if "SecretString" not in answer:
            raise AwsError(
                "secretsmanager:GetSecretValue",
                f"secret {arn}",
                "NoSecretString",
                "the secret holds bytes",
                "Store the secret as text",
            )
        return str(answer["SecretString"])


def default_region() -> str | None:
    """Botocore's own choice: the profile's, or the environment's. Raises AwsError where there is no such profile."""
    try:
        region: str | None = boto3.Session().region_name
    except BotoCoreError as error:
        raise translate("session", "the default profile", error) from error
    return region


def _assumed(role: Role, region: str, limiter: Limiter, options: Options) -> botocore.session.Session:
    """A session whose credentials come from the role when first needed, and renew themselves."""

    def fetch() -> dict[str, str]:
        extra: dict[str, Any] = {"ExternalId": role.external_id} if role.external_id else {}
        arn = str(role.arn)
        try:
            own = boto3.Session()
            home = own.client("sts", region_name=region or None, config=options.config)
        except (BotoCoreError, ValueError) as error:
            raise translate("sts:AssumeRole", arn, error) from error
        options.guard.watch(home)
        _hide_keys(home, own, options.hides)
        call = Caller(home, limiter, options.observer, options.sleep, attempts=1)  # the call that needs it tries again
        asked = {"RoleArn": arn, "RoleSessionName": "logroute", **extra}
        given = call("AssumeRole", arn, expects="Credentials", **asked)["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    session = botocore.session.get_session()
    session._credentials = DeferredRefreshableCredentials(fetch, "sts-assume-role")  # type: ignore[attr-defined]  # noqa: SLF001 - botocore offers no other way in
    return session
