"""Outgoing mail, one row each: claimed before it is sent, settled after. Nobody is missed, nobody is mailed twice.

A row is `sending` from before the server hears of it until its answer is stored. A process that dies in between leaves
it there; once the claim is older than a whole SMTP transaction may take, nobody can still be sending it, and since the
server may or may not have taken it, the row becomes `unknown` and waits for a person.

Who claims locks the mail server's `Gate` first. So no two workers hold the same row, all of them together keep the pace
the provider asks for, also across a restart, and a server that could not be used is left alone by all.
"""

from digest.steps.deliver.answers import STREAK, counts, decide_unknown, recover, release, resend, settle
from digest.steps.deliver.claims import claim, ready
from digest.steps.deliver.gate import shut, shut_gate
from digest.steps.deliver.mails import Mail, Presses, mails, recipient
from digest.steps.deliver.rows import WAITING, Claim, in_time, lease

__all__ = [
    "STREAK",
    "WAITING",
    "Claim",
    "Mail",
    "Presses",
    "claim",
    "counts",
    "decide_unknown",
    "in_time",
    "lease",
    "mails",
    "ready",
    "recipient",
    "recover",
    "release",
    "resend",
    "settle",
    "shut",
    "shut_gate",
]
