"""What is known of the places that outputs write to, and of secrets: looked at once an hour, where rights allow it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from controller.aws.ports import AwsError, Destinations, NotFound
from controller.permissions.targets import Place
from controller.reconciling.rights import BELIEVED, LOOK_AGAIN


@dataclass(frozen=True, slots=True)
class Seen:
    """`wrong`: why nothing can be written there, or read; `key`: the KMS key of one's own that it is encrypted with. ""
    where there is none, or nobody knows.
    """

    wrong: str = ""
    key: str = ""


NOTHING = Seen()


@dataclass(slots=True)
class DestinationWatch:
    """Of one account. Thread-safe. `now`: any clock in seconds."""

    look: Destinations
    now: Callable[[], float]
    _seen: dict[Place, tuple[Seen, float]] = field(default_factory=dict)
    """And until when that is believed."""

    def of(self, place: Place, *, ask: bool) -> Seen:
        """Never fails. `ask` False: only what is known counts."""
        found, until = self._seen.get(place, (NOTHING, 0.0))
        if self.now() >= until and ask:
            found = self._looked_at(place)
            self._seen[place] = (found, self.now() + (LOOK_AGAIN if found.wrong else BELIEVED))
        return found

    def _looked_at(self, place: Place) -> Seen:
        try:
            match place.kind:
                case "bucket":
                    return self._bucket(place)
                case "secret":
                    return Seen(key=self.look.secret(place.name, place.region))
                case "delivery stream":
                    self.look.delivery_stream(place.name, place.region)
                case "stream":
                    self.look.stream(place.name, place.region)
                case "log group":
                    self.look.log_group(place.name, place.region)
        except NotFound:
            return Seen(f"does not exist{f' in {place.region}' if place.region else ''}")
        except AwsError:
            return NOTHING
        return NOTHING

    def _bucket(self, place: Place) -> Seen:
        """Raises AwsError."""
        there = self.look.bucket_region(place.name)
        if place.region not in ("", there):
            return Seen(f"is in {there}, and the output writes to {place.region}: set its region")
        with suppress(AwsError):
            return Seen(key=self.look.bucket_key(place.name))
        return NOTHING
