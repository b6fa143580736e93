"""Mail goes out: one connection kept open, at the pace the provider allows."""

from dataclasses import dataclass

from digest.nouns import DeliveryStatus


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the server said about one mail to one address: sent, deferred (try again) or failed (final)."""

    status: DeliveryStatus
    answer: str
