"""Single harmless calls, and all that AWS answers: for `logroute doctor`, which judges the answers themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from controller.aws.accounts import CLIENTS, AwsAccount, Options
from controller.aws.failures import translate
from controller.aws.ports import AccessDenied, AwsError, Unreachable

SECONDS = 5.0


def options(share: float, hides: Callable[[str], None] = lambda _secret: None) -> Options:
    """One attempt, and no answer within SECONDS is an answer too."""
    bounds = Config(connect_timeout=SECONDS, read_timeout=SECONDS)
    return Options(share, config=CLIENTS.merge(bounds), attempts=1, hides=hides)


@dataclass(frozen=True, slots=True)
class Tried:
    """`operation` as `ecs:ListClusters`. `headers` of the answer, also of a refusal, by lower-case name."""

    operation: str
    resource: str
    answer: Mapping[str, Any] = field(default_factory=dict)
    error: AwsError | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return self.error.code if self.error else ""

    @property
    def denied(self) -> bool:
        return isinstance(self.error, AccessDenied)

    @property
    def unanswered(self) -> bool:
        return isinstance(self.error, Unreachable)


class Probe:
    """One account and region. A service that did not answer is not asked again: each would cost its seconds."""

    def __init__(self, account: AwsAccount) -> None:
        self.account, self.place = account, account.place
        self._clients: dict[str, Any] = {}
        self._silent: dict[str, AwsError] = {}

    def call(self, service: str, operation: str, resource: str, /, **arguments: Any) -> Tried:
        """Never raises for what AWS or the network do."""
        name = f"{service}:{operation}"
        if service in self._silent:
            return Tried(name, resource, error=self._silent[service])
        try:
            answer = self._asked(service, operation, arguments)
        except Exception as error:  # noqa: BLE001 - botocore's parsers raise what they stumble upon
            ours = error if isinstance(error, AwsError) else translate(name, resource, error)
            if isinstance(ours, Unreachable) and not isinstance(error, ClientError):
                self._silent[service] = ours
            refused = error.response if isinstance(error, ClientError) else {}
            return Tried(name, resource, error=ours, headers=_headers(refused))
        return Tried(name, resource, answer, None, _headers(answer))

    def _asked(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        if service not in self._clients:
            self._clients[service] = self.account.client(service)
        client = self._clients[service]
        methods = {name: method for method, name in client.meta.method_to_api_mapping.items()}
        return getattr(client, methods[operation])(**arguments)


def _headers(answer: Mapping[str, Any]) -> dict[str, str]:
    return dict(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}))
