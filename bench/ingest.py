"""`bench/ingest MBOX`: mails a second, from archive to threads in a fresh database, beside `notmuch new` on the same.

Ours: stored, understood, searched for identifiers, filed and threaded, by one process, so that processor time compares
with notmuch's, which has one. Everybody who wrote is a member. Drafting follows and is told by itself; notmuch does
nothing of the kind. `--profile` prints where the time goes. Last line one JSON object: mails a second of ours and
notmuch's, and the ratio of their processor times.
"""

import argparse
import cProfile
import json
import os
import pstats
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.threads import maildir, notmuch_config
from digest import store, worker
from digest.address import is_address
from digest.cli import STORE_BATCH, batched
from digest.config import CommunitySettings, Settings
from digest.mailbox import Arrival
from digest.mailbox.archive import ArchiveError, arrivals
from digest.message.parse import parse
from digest.steps import enrol, receive

COMMUNITY = CommunitySettings(
    slug="bench", name="Bench", stream_address="stream@example.org", digest_sender="digest@example.org"
)


@dataclass
class Took:
    """Seconds: on the clock, and of processors."""

    wall: float
    processor: float


class Watch:
    """Measures what happens between its making and `took`, in this process (or, `children`, in those it waited for)."""

    def __init__(self, children: bool = False) -> None:
        self.who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF
        self.wall, self.processor = time.perf_counter(), self._processor()

    def _processor(self) -> float:
        used = resource.getrusage(self.who)
        return used.ru_utime + used.ru_stime

    def took(self) -> Took:
        return Took(time.perf_counter() - self.wall, self._processor() - self.processor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mbox", type=Path)
    parser.add_argument("--most", type=int, default=0, help="only so many mails from its start")
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    if shutil.which("notmuch") is None:
        sys.exit("notmuch is not installed; on Debian: apt-get install --no-install-recommends notmuch")
    try:
        mails = list(arrivals([args.mbox]))[: args.most or None]
    except ArchiveError as error:
        sys.exit(str(error))
    with tempfile.TemporaryDirectory() as folder:
        filed, drafted = ours(mails, Path(folder), args.profile)
    with tempfile.TemporaryDirectory() as folder:
        theirs = notmuch([mail.raw for mail in mails], Path(folder))
    number = len(mails)
    for name, took in (("ours", filed), ("ours, drafting", drafted), ("notmuch new", theirs)):
        print(f"{name:15} {took.wall:7.1f} s, of processors {took.processor:7.1f} s: {number / took.wall:7.0f} mails/s")
    result = {
        "mails": number,
        "ours_per_second": round(number / filed.wall, 1),
        "notmuch_per_second": round(number / theirs.wall, 1),
        "ratio": round(filed.processor / theirs.processor, 2),
    }
    print(json.dumps(result))


def ours(mails: list[Arrival], folder: Path, profile: bool) -> tuple[Took, Took]:
    """What storing and filing took, and what drafting did."""
    settings = Settings(data=folder, community=(COMMUNITY,))
    engine = store.connect(settings.database)
    store.migrate(engine)
    writers: dict[str, dict[str, None]] = {}  # name → addresses: who writes from several is one member
    for mail in mails:
        name, address = parse(mail.raw).sender
        if is_address(address):
            writers.setdefault(name or address, {})[address] = None
    with store.transaction(engine) as session:
        community_id = enrol.communities(session, settings)[COMMUNITY.slug]
        known: set[str] = set()
        rows = []
        for name, addresses in writers.items():
            email, *others = [address for address in addresses if address not in known] or [""]
            known |= addresses.keys()
            if email:
                rows.append({"email": email, "name": name, "aliases": "; ".join(others)})
        enrol.members(session, community_id, rows, worker.now())
    profiler = cProfile.Profile()
    watch = Watch()
    if profile:
        profiler.enable()
    for batch in batched(iter(mails), STORE_BATCH):
        with store.transaction(engine) as session:
            receive.store(session, community_id, batch)
    worker.file_all(engine, community_id, COMMUNITY)
    if profile:
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
        pstats.Stats(profiler).sort_stats("cumtime").print_stats(60)
    filed = watch.took()
    watch = Watch()
    worker.draft_all(engine, community_id)
    drafted = watch.took()
    engine.dispose()
    return filed, drafted


def notmuch(raws: list[bytes], folder: Path) -> Took:
    """What `notmuch new` took, which indexes the words and makes the threads."""
    maildir(raws, folder / "mail")
    config = notmuch_config(folder)
    own = {"NOTMUCH_CONFIG": str(config), "HOME": str(folder), "PATH": os.environ.get("PATH", "")}
    watch = Watch(children=True)
    subprocess.run(["notmuch", "new", "--quiet", "--no-hooks"], env=own, check=True)
    return watch.took()


if __name__ == "__main__":
    main()
