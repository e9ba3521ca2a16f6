"""One way to call AWS: a token first, a counted request, ours for botocore's errors, retries where they are safe."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from controller.aws.failures import not_aws, translate
from controller.aws.limiter import Limiter, TokenBucket
from controller.aws.operations import is_read
from controller.aws.ports import AwsError, Throttled, Unreachable

THROTTLED_FOR = 60.0
"""Seconds for which a throttled call is tried again: the bucket is only empty, and whoever emptied it ends sooner or
later, while a pass that gives up knows nothing of a whole cluster.
"""


class Observer(Protocol):
    """Who counts the calls. `code` is "" where the call succeeded."""

    def aws_call(self, service: str, operation: str, code: str) -> None: ...


Fence = Callable[[str, str], AbstractContextManager[object]]
"""Around each write that is sent, by operation and resource; raises AwsError where it must not be."""


def no_fence(_operation: str, _resource: str) -> AbstractContextManager[object]:
    return nullcontext()


class _Nobody:
    def aws_call(self, service: str, operation: str, code: str) -> None:
        pass


NOBODY: Observer = _Nobody()


def _as_it_is(answer: Any) -> Any:
    return answer


class Caller:
    """Calls one botocore client. botocore's own retries are off: each attempt takes a token here."""

    def __init__(
        self,
        client: Any,
        limiter: Limiter,
        observer: Observer = NOBODY,
        sleep: Callable[[float], None] = time.sleep,
        attempts: int = 6,
        fence: Fence = no_fence,
    ) -> None:
        """`attempts`: of a call that has no answer; 1 is one, come what may."""
        self.client, self._limiter, self._observer = client, limiter, observer
        self._service: str = client.meta.service_model.service_name
        self._methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
        self._sleep, self._attempts, self._fence = sleep, attempts, fence

    def __call__(
        self,
        operation: str,
        resource: str,
        *,
        expects: str,
        repeatable: bool = True,
        final: Collection[str] = (),
        take: Callable[[Any], Any] = _as_it_is,
        **arguments: Any,
    ) -> Any:
        """What `take` makes of the answer. Raises AwsError.

        `expects` is a member that every true answer has, or "": of a 200 with somebody else's page in it
        botocore makes an empty answer, which would read as "there is nothing".

        A throttled call did not happen, so it is always tried again; one without an answer may
        have happened, and only what is `repeatable` is. Codes in `final` are believed at once.
        """
        again = (Throttled, Unreachable) if repeatable else (Throttled,)
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, again) and error.code not in final),
            stop=self._gives_up(),
            wait=wait_random_exponential(multiplier=0.2, max=20),
            sleep=self._sleep,
            reraise=True,
        )

        def once() -> Any:
            answer = getattr(self.client, self._methods[operation])(**arguments)
            if expects and expects not in answer:
                raise not_aws(f"{self._service}:{operation}", resource, expects)
            return take(answer)

        return retrying(self._once, operation, resource, once)

    def _gives_up(self) -> Callable[[RetryCallState], bool]:
        begun = self._limiter.now()

        def stop(state: RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            if isinstance(error, Throttled) and self._attempts > 1:
                return self._limiter.now() - begun >= THROTTLED_FOR
            return state.attempt_number >= self._attempts

        return stop

    def _once(self, operation: str, resource: str, call: Callable[[], Any]) -> Any:
        bucket = self._limiter.acquire(self._service, operation)
        if is_read(f"{self._service}:{operation}"):
            return self._sent(operation, resource, call, bucket)
        with self._fence(f"{self._service}:{operation}", resource):
            return self._sent(operation, resource, call, bucket)

    def _sent(self, operation: str, resource: str, call: Callable[[], Any], bucket: TokenBucket) -> Any:
        code = ""
        try:
            return call()
        except AwsError as ours:  # an answer that is not AWS's, or a role that could not be assumed
            code = ours.code
            raise
        except Exception as error:  # beside its own, botocore raises what its parsers stumble upon
            failure = translate(f"{self._service}:{operation}", resource, error)
            code = failure.code
            if isinstance(failure, Throttled):
                bucket.throttled()
            raise failure from error
        finally:
            self._observer.aws_call(self._service, operation, code)
