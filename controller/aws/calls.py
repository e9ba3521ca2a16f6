"""One way to call AWS: a token first, a counted request, ours for botocore's errors, retries where they are safe."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from controller.aws.failures import translate
from controller.aws.limiter import Limiter
from controller.aws.ports import AwsError, Throttled, Unreachable


class Observer(Protocol):
    """Who counts the calls. `code` is "" where the call succeeded."""

    def aws_call(self, service: str, operation: str, code: str) -> None: ...


class _Nobody:
    def aws_call(self, service: str, operation: str, code: str) -> None:
        pass


NOBODY: Observer = _Nobody()


class Caller:
    """Calls one botocore client. botocore's own retries are off: each attempt takes a token here."""

    def __init__(
        self,
        client: Any,
        limiter: Limiter,
        observer: Observer = NOBODY,
        sleep: Callable[[float], None] = time.sleep,
        attempts: int = 6,
    ) -> None:
        self.client, self._limiter, self._observer = client, limiter, observer
        self._service: str = client.meta.service_model.service_name
        self._methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
        self._again = self._retrying((Throttled, Unreachable), attempts, sleep)
        self._careful = self._retrying((Throttled,), attempts, sleep)

    def __call__(self, operation: str, resource: str, *, repeatable: bool = True, **arguments: Any) -> Any:
        """The answer. Raises AwsError.

        A throttled call did not happen, so it is always tried again; one without an answer may have
        happened, and only what is `repeatable` is.
        """
        retrying = self._again if repeatable else self._careful
        return retrying.copy()(self._once, operation, resource, arguments)

    def _once(self, operation: str, resource: str, arguments: dict[str, Any]) -> Any:
        bucket = self._limiter.acquire(self._service, operation)
        code = ""
        try:
            return getattr(self.client, self._methods[operation])(**arguments)
        except (ClientError, BotoCoreError) as error:
            failure = translate(f"{self._service}:{operation}", resource, error)
            code = failure.code
            if isinstance(failure, Throttled):
                bucket.throttled()
            raise failure from error
        finally:
            self._observer.aws_call(self._service, operation, code)

    @staticmethod
    def _retrying(errors: tuple[type[AwsError], ...], attempts: int, sleep: Callable[[float], None]) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(errors),
            stop=stop_after_attempt(attempts),
            wait=wait_random_exponential(multiplier=0.2, max=20),
            sleep=sleep,
            reraise=True,
        )
