"""What IAM says of the roles of one account, remembered: it is asked once a second at most."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from controller.aws.ports import AccessDenied, AwsError, Destinations, Iam, NotFound, Simulated, Throttled, Unreachable
from controller.permissions.preflight import Answer, Answers, Decision, Question, Unanswered, allows_anyway

LOOK_AGAIN = 60.0
"""Seconds for which a denial is believed: people mend a role and want to go on."""
EACH_LATER = 2.0
"""Seconds more for each role that lacks something: they must not keep IAM from answering for the others."""
BELIEVED = 3600.0
"""Seconds for which a right is taken for granted."""
SILENCE = 60.0
"""Seconds for which nobody is asked after IAM did not answer."""
ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+")
ALLOWED = Answer(Decision.ALLOWED)
UNTOLD = Unanswered("IAM's answer does not say")


@dataclass(frozen=True, slots=True)
class _Said:
    """All but the rights that are there, and until when that is believed."""

    answers: Answers
    until: float


@dataclass(slots=True)
class Rights:
    """Thread-safe. `now`: any clock in seconds."""

    iam: Iam
    destinations: Destinations
    now: Callable[[], float]
    _said: dict[tuple[str, bytes], _Said] = field(default_factory=dict)
    """By role and by what is asked of it: ten thousand roles are asked the same."""
    _asking: threading.Lock = field(default_factory=threading.Lock)
    _silent: tuple[str, float] = ("", 0.0)

    def known(self, role: str, some: Sequence[Question]) -> Answers | None:
        """None where IAM has to be asked."""
        found = self._said.get((role, _digest(some)))
        return dict.fromkeys(some, ALLOWED) | dict(found.answers) if found and self.now() < found.until else None

    def asked(self, role: str, some: Sequence[Question], account: str) -> Answers:
        """`some` are about `role`, in the account of the task. Never fails: what AWS does not tell is Unanswered."""
        with self._asking:
            if (found := self.known(role, some)) is not None:
                return found
            answers = self._answers(role, some, account)
            rest = {one: said for one, said in answers.items() if said != ALLOWED}
            self._forget_what_is_old()
            self._said[(role, _digest(some))] = _Said(rest, self.now() + (self.patience() if rest else BELIEVED))
            return answers

    def patience(self) -> float:
        """Seconds until it is worth asking again about what was denied."""
        return LOOK_AGAIN + EACH_LATER * sum(bool(one.answers) for one in list(self._said.values()))

    def _forget_what_is_old(self) -> None:
        now = self.now()
        for key in [key for key, one in self._said.items() if one.until + BELIEVED < now]:
            del self._said[key]

    def _answers(self, role: str, some: Sequence[Question], account: str) -> Answers:
        if not ROLE.fullmatch(role):
            return dict.fromkeys(some, Unanswered("which role it is differs by task"))
        if role.split(":")[4] != account:
            return dict.fromkeys(some, Unanswered("it is a role of another account"))
        why, until = self._silent
        if self.now() < until:
            return dict.fromkeys(some, Unanswered(why))
        try:
            found = self._simulated(role, some, account)
        except NotFound:
            return dict.fromkeys(some, Answer(Decision.NOT_ALLOWED, by="there is no such role"))
        except AccessDenied as error:
            return dict.fromkeys(some, Unanswered(f"the controller may not ask IAM ({error.operation}: {error.code})"))
        except (Throttled, Unreachable) as error:
            self._silent = (f"IAM did not answer ({error.code})", self.now() + SILENCE)
            return dict.fromkeys(some, Unanswered(self._silent[0]))
        except AwsError as error:
            return dict.fromkeys(some, Unanswered(f"{error.code}: {error.detail}"))
        return {one: self._otherwise(one, found.get(one, UNTOLD), account) for one in some}

    def _simulated(self, role: str, some: Sequence[Question], account: str) -> dict[Question, Answer | Unanswered]:
        """One call for all resources; `*`, which is none, by itself. Raises AwsError."""
        answers: dict[Question, Answer | Unanswered] = {}
        for everything in (False, True):
            these = [one for one in some if (one.resource == "*") is everything]
            actions, resources = dict.fromkeys(q.action for q in these), dict.fromkeys(q.resource for q in these)
            context = _context(role, account)
            rows = self.iam.simulate(role, list(actions), list(resources), context) if these else ()
            answers |= {Question(role, row.action, row.resource): _read(row) for row in rows}
        return answers

    def _otherwise(self, question: Question, said: Answer | Unanswered, account: str) -> Answer | Unanswered:
        """What a role's own policies leave open, a resource's own may give: the bucket's, and a role's trust."""
        if not isinstance(said, Answer) or said.decision is not Decision.NOT_ALLOWED or said.by:
            return said
        try:
            given = self._policy_of(question, account)
        except AwsError:
            return said
        if allows_anyway(given, question.role, question.action):
            return Unanswered(f"the policy of {question.resource} may allow it")
        return said

    def _policy_of(self, question: Question, account: str) -> Mapping[str, object]:
        service, _, action = question.action.partition(":")
        if service == "s3":
            return self.destinations.bucket_policy(question.resource.rpartition(":")[2].partition("/")[0])
        if action == "AssumeRole" and question.resource.split(":")[4] == account:
            return self.iam.trust(question.resource)
        return {}


def _read(row: Simulated) -> Answer | Unanswered:
    try:
        return Answer(Decision(row.decision), row.missing, row.by)
    except ValueError:
        return UNTOLD


def _context(role: str, account: str) -> dict[str, str]:
    """What every request of the task will have."""
    return {"aws:PrincipalArn": role, "aws:PrincipalAccount": account, "aws:SecureTransport": "true"}


def _digest(some: Iterable[Question]) -> bytes:
    said = "\n".join(sorted(f"{one.action} {one.resource}" for one in some))
    return blake2b(said.encode(), digest_size=16).digest()
