"""Log groups that somebody deletes or changes: found in few calls, put right where they may be, said where not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from controller.api.conditions import Reason
from controller.api.keys import Place, ServiceKey
from controller.applying.group_watch import AT_ONCE, GroupWatch
from controller.applying.groups import GroupKeeper
from controller.aws.logs import PAGE
from controller.aws.ports import AccessDenied, LogGroup, Unreachable
from controller.planning.groups import Group, Need, needs

KEY = ServiceKey(Place("main", "eu-central-1"), "c", "web")
OTHER = replace(KEY, service="api")
DENIED = AccessDenied("logs:CreateLogGroup", "log group /g", "AccessDeniedException", "no")


@dataclass(slots=True)
class Logs:
    """ports.LogGroups in memory. `asked` counts requests by operation; `broken` operations fail."""

    groups: dict[str, LogGroup] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    broken: dict[str, Exception] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)

    def there(self, name: str, days: int | None = None, log_class: str = "", owner: str = "") -> None:
        self.groups[name] = LogGroup(name, days, f"arn:{name}", log_class)
        self.owners[name] = owner

    def find(self, name: str) -> LogGroup | None:
        self._ask("find")
        return self.groups.get(name)

    def describe(self, names: Sequence[str]) -> dict[str, LogGroup]:
        for _ in range(0, len(names), PAGE):
            self._ask("describe")
        return {name: self.groups[name] for name in names if name in self.groups.keys() - self.unlisted}

    def owner(self, group: LogGroup) -> str | None:
        self._ask("owner")
        return self.owners.get(group.name)

    def create(self, name: str, log_class: str, owner: str) -> bool:
        self._ask("create")
        if name in self.groups:
            return False
        self.there(name, None, log_class, owner)
        return True

    def set_retention(self, name: str, days: int) -> None:
        self._ask("set_retention")
        self.groups[name] = replace(self.groups[name], retention_days=days)

    def _ask(self, operation: str) -> None:
        self.asked.append(operation)
        if error := self.broken.get(operation):
            raise error


@pytest.fixture
def logs() -> Logs:
    return Logs()


@pytest.fixture
def watch(logs: Logs) -> GroupWatch:
    return GroupWatch(GroupKeeper(logs, "prod"))


def need(name: str = "/g", days: int | None = None, log_class: str = "", frozen: str = "") -> dict[str, Need]:
    return {name: Need(Group(name, days, log_class), (KEY,), frozen)}


def test_a_missing_group_is_made_again_as_it_was(watch: GroupWatch, logs: Logs) -> None:
    [drift] = watch.check(need("/g", 30, "INFREQUENT_ACCESS"), repair=True).drifts
    assert (drift.reason, drift.repaired, drift.services) == (Reason.LOG_GROUP_MISSING, True, (KEY,))
    assert logs.groups["/g"] == LogGroup("/g", 30, "arn:/g", "INFREQUENT_ACCESS")
    assert logs.owners["/g"] == "prod"
    assert watch.check(need("/g", 30, "INFREQUENT_ACCESS"), repair=True).drifts == ()


def test_a_group_that_the_listing_does_not_show_yet_is_no_drift(watch: GroupWatch, logs: Logs) -> None:
    logs.there("/g")
    logs.unlisted = {"/g"}
    assert watch.check(need(), repair=True).drifts == ()


@pytest.mark.parametrize(("there", "wanted"), [(7, 30), (90, 30), (None, 30)])
def test_a_retention_of_ours_is_put_right(watch: GroupWatch, logs: Logs, there: int | None, wanted: int) -> None:
    logs.there("/g", there, owner="prod")
    [drift] = watch.check(need(days=wanted), repair=True).drifts
    assert (drift.reason, drift.repaired) == (Reason.LOG_GROUP_RETENTION, True)
    assert logs.groups["/g"].retention_days == wanted


def test_somebody_else_s_group_is_not_lowered_and_whose_it_is_is_asked_once(watch: GroupWatch, logs: Logs) -> None:
    logs.there("/g", 90)
    for _ in range(3):
        [drift] = watch.check(need(days=30), repair=True).drifts
        assert (drift.reason, drift.repaired, drift.held) == (Reason.LOG_GROUP_RETENTION, False, True)
        assert "LogRoute did not make it" in drift.message
    assert logs.groups["/g"].retention_days == 90
    assert logs.asked.count("owner") == 1
    logs.there("/g", 14)
    [drift] = watch.check(need(days=30), repair=True).drifts
    assert drift.repaired


def test_a_retention_that_nobody_asks_for_is_nobody_s_business(watch: GroupWatch, logs: Logs) -> None:
    logs.there("/g", 90)
    assert watch.check(need(), repair=True).drifts == ()


@pytest.mark.parametrize("there", [None, 7])
def test_what_is_frozen_is_said_and_left(watch: GroupWatch, logs: Logs, there: int | None) -> None:
    if there:
        logs.there("/g", there)
    before = dict(logs.groups)
    [drift] = watch.check(need(days=30, frozen="web/httpd has mode: warn"), repair=True).drifts
    assert (drift.repaired, drift.held) == (False, True)
    assert drift.message.endswith("; web/httpd has mode: warn")
    assert logs.groups == before


def test_a_plan_only_looks(watch: GroupWatch, logs: Logs) -> None:
    [drift] = watch.check(need(), repair=False).drifts
    assert (drift.repaired, drift.held) == (False, False)
    assert logs.asked == ["describe"]


def test_a_class_that_is_another_is_said_once(watch: GroupWatch, logs: Logs) -> None:
    logs.there("/g", log_class="STANDARD")
    first, second = (watch.check(need(log_class="INFREQUENT_ACCESS"), repair=True) for _ in range(2))
    assert first.remarks == ("log group /g is of class STANDARD, for good, and not INFREQUENT_ACCESS",)
    assert (first.drifts, second.remarks) == ((), ())


def test_where_nothing_is_needed_nothing_is_asked(watch: GroupWatch, logs: Logs) -> None:
    watch.check({}, repair=True)
    assert logs.asked == []


def test_many_groups_take_turns(watch: GroupWatch, logs: Logs) -> None:
    names = [f"/g{number:03}" for number in range(AT_ONCE * 2 + 50)]
    wanted = needs((KEY, [Group(name)], "") for name in names)
    for name in names:
        logs.there(name)
    del logs.groups[names[-1]]
    for expected in ([], [], [names[-1]], []):
        logs.asked.clear()
        assert [one.name for one in watch.check(wanted, repair=True).drifts] == expected
        assert logs.asked.count("describe") == AT_ONCE // PAGE


def test_without_the_right_to_look_what_stood_stands(watch: GroupWatch, logs: Logs) -> None:
    watch.check(need(frozen="no"), repair=True)
    logs.broken["describe"] = DENIED
    news = watch.check(need(), repair=True)
    assert [one.name for one in news.drifts] == ["/g"]
    assert news.error is DENIED
    assert news.denied == {KEY}


def test_no_answer_is_no_lack_of_a_right(watch: GroupWatch, logs: Logs) -> None:
    logs.broken["describe"] = Unreachable("logs:DescribeLogGroups", "g", "x", "no answer")
    news = watch.check(need(), repair=True)
    assert news.error is logs.broken["describe"]
    assert news.denied == frozenset()


def test_a_failed_write_is_said_and_tried_once_a_pass(watch: GroupWatch, logs: Logs) -> None:
    logs.broken["create"] = DENIED
    both = needs([(KEY, [Group("/a")], ""), (OTHER, [Group("/b")], "")])
    news = watch.check(both, repair=True)
    assert [(one.name, one.repaired) for one in news.drifts] == [("/a", False), ("/b", False)]
    assert logs.asked.count("create") == 1
    assert news.denied == {KEY}
    logs.broken.clear()
    assert all(one.repaired for one in watch.check(both, repair=True).drifts)


def test_what_nobody_needs_any_more_stands_no_more(watch: GroupWatch) -> None:
    watch.check(need("/old", frozen="no"), repair=True)
    assert [one.name for one in watch.check(need("/new", frozen="no"), repair=True).drifts] == ["/new"]


def test_among_services_the_longest_retention_wins_and_one_that_may_be_written_is_enough() -> None:
    found = needs([(KEY, [Group("/g", 7, "STANDARD")], "frozen"), (OTHER, [Group("/g", 30)], "")])
    assert found == {"/g": Need(Group("/g", 30, "STANDARD"), (KEY, OTHER), "")}


def test_a_group_that_was_changed_for_a_service_just_now_is_looked_at_next_time(watch: GroupWatch, logs: Logs) -> None:
    """The memory of the service may still say what it said before."""
    logs.there("/g", 7, owner="prod")
    watch.keeper.keep(KEY, [Group("/g", 30)])
    assert watch.check(need(days=7), repair=True).drifts == ()
    assert logs.groups["/g"].retention_days == 30
    assert watch.check(need(days=7), repair=True).drifts
