"""How fast mail may leave: so many in any minute, also across a restart. Pure; the clock comes in."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)


class Pace:
    """No more than `per_minute` mails in any 60 seconds, shared by all lanes of a process.

    `sent` seeds it with the times of recent mails, so that a restart does not start a new minute. A sliding window
    rather than even spacing: a sign-in link need not wait while the minute has room.
    """

    def __init__(self, per_minute: int, sent: Iterable[datetime] = ()) -> None:
        self._times = deque(sorted(sent)[-per_minute:], maxlen=per_minute)
        self._per_minute = per_minute

    def take(self, now: datetime) -> float:
        """Count a mail that goes now and return 0.0; or, when the minute is full, say for how many seconds to wait.

        Waiting takes no place, so ask again after it: `while wait := pace.take(now()): await asyncio.sleep(wait)`.
        """
        if len(self._times) == self._per_minute:
            wait = (self._times[0] + WINDOW - now).total_seconds()
            if wait > 0:
                return wait
        self._times.append(now)
        return 0.0

    def give_back(self) -> None:
        """Uncount the last mail taken: there was none to send after all."""
        self._times.pop()
