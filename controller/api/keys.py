"""How services are named between rooms, in state, in queues and in messages."""

from __future__ import annotations

from dataclasses import dataclass

FAMILY = "family:"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One account (by its name in the settings) and region, or a part of its clusters: one set of clients, limits and
    failures, one pass, one lease.
    """

    account: str
    region: str
    shard: str = ""
    """The name of the part; a service's key never has it, for the settings may draw the lines anew."""

    def __str__(self) -> str:
        return f"{self.account}/{self.region}" + (f"/{self.shard}" if self.shard else "")

    @property
    def whole(self) -> Place:
        """The account and region that it is a part of."""
        return Place(self.account, self.region) if self.shard else self

    def service(self, text: str) -> ServiceKey:
        """A service of its account and region by its key. ValueError where the text is none."""
        key = ServiceKey.parse(text)
        if key.place != self.whole:
            raise ValueError(f"{text} is not in {self}")
        return key


@dataclass(frozen=True, slots=True, order=True)
class ServiceKey:
    """A service, or a task family that jobs are started from: `FAMILY` stands for its cluster then, which no cluster
    is named, and `service` is the family.
    """

    place: Place
    cluster: str
    service: str

    def __str__(self) -> str:
        return f"{self.place}/{self.short}"

    @property
    def is_family(self) -> bool:
        return self.cluster == FAMILY

    @property
    def short(self) -> str:
        return f"{FAMILY}{self.service}" if self.is_family else f"{self.cluster}/{self.service}"

    @classmethod
    def family(cls, place: Place, name: str) -> ServiceKey:
        return cls(place, FAMILY, name)

    @classmethod
    def parse(cls, text: str) -> ServiceKey:
        """The inverse of `str`. ValueError where the text is no key."""
        account, region, *rest = text.split("/")
        if len(rest) == 1 and rest[0].startswith(FAMILY):
            return cls.family(Place(account, region), rest[0].removeprefix(FAMILY))
        cluster, service = rest
        return cls(Place(account, region), cluster, service)
