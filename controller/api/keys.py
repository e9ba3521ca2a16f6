"""How services are named between rooms, in state, in queues and in messages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One account (by its name in the settings) and region: one set of clients, limits and failures."""

    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"

    def service(self, text: str) -> ServiceKey:
        """A service of this place by its key. ValueError where the text is none."""
        key = ServiceKey.parse(text)
        if key.place != self:
            raise ValueError(f"{text} is not in {self}")
        return key


@dataclass(frozen=True, slots=True, order=True)
class ServiceKey:
    place: Place
    cluster: str
    service: str

    def __str__(self) -> str:
        return f"{self.place}/{self.cluster}/{self.service}"

    @property
    def short(self) -> str:
        return f"{self.cluster}/{self.service}"

    @classmethod
    def parse(cls, text: str) -> ServiceKey:
        """The inverse of `str`. ValueError where the text is no key."""
        account, region, cluster, service = text.split("/")
        return cls(Place(account, region), cluster, service)
