"""Mail goes out: connections kept open, at the pace the provider allows."""

from dataclasses import dataclass

from digest.nouns import DeliveryStatus


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the server said about one mail to one address: sent, deferred (try again) or failed (final).

    `busy`: it said so about us or itself and not about this mail, so the next mail had better wait as well.
    """

    status: DeliveryStatus
    answer: str
    busy: bool = False
