"""`bench/week --out DIR`: a coordinator's whole week at the desk, from first mail to sent edition.

The service runs on the sample community with a week's stream in it (6 threads, 40 replies, 3 held messages) and is
driven in Chromium: at desktop width, at phone width, then without JavaScript; each way on a fresh service. A picture of
every page and state goes to DIR. The last line is one JSON object: `clicks` of the way that took the most, `pages` and
`server_seconds` of that one, and over all ways `axe_findings`, `console_errors`, `csp_violations`, `editions_sent`. The
run ends with 1 when anything was found, or a way took 60 clicks or more.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.live import week

MOST_CLICKS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="where the pictures go")
    parser.add_argument("--way", choices=list(week.WAYS), action="append", help="only this way")
    parser.add_argument("--guide", type=Path, help="drive the desktop way alone and put the guide's pictures there")
    args = parser.parse_args()
    if args.guide is not None:
        args.guide.mkdir(parents=True, exist_ok=True)
        args.way = ["desktop"]
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
    if not week.CHROMIUM or not week.AXE.is_file():
        sys.exit("Chromium and axe-core are needed: run scripts/test once as root, or install them.")
    ways = [drive(way, args.out, args.guide) for way in args.way or week.WAYS]
    worst = max(ways, key=lambda one: one["clicks"])
    found = {name: sum(way[name] for way in ways) for name in ("axe_findings", "console_errors", "csp_violations")}
    sent = sum(way["editions_sent"] for way in ways)
    print(
        json.dumps(
            {
                "clicks": worst["clicks"],
                "pages": worst["pages"],
                "server_seconds": worst["server_seconds"],
                **found,
                "editions_sent": sent,
            }
        )
    )
    if any(found.values()) or worst["clicks"] >= MOST_CLICKS or sent != len(ways) or any(w["other"] for w in ways):
        sys.exit(1)


def drive(way: str, out: Path | None, guide: Path | None) -> dict[str, int | float]:
    """The whole week one way, told on the way; returns its figures."""
    began = time.perf_counter()
    with (
        sync_playwright() as playwright,
        week.service() as service,
        week.desk(playwright, service, way, out, guide) as desk,
    ):
        week.week(desk)
        tally = desk.tally
        clicks, pages, seconds = tally.clicks, tally.pages, service.timed.seconds
        week.sign_in(desk)
        week.besides(desk)
        for kind in ("axe", "console", "csp", "other"):
            for one in getattr(tally, kind):
                print(f"  {kind}: {one}")
        took, path = service.timed.slowest
        print(
            f"{way}: {clicks} clicks, {pages} pages, {seconds:.2f} s at the server"
            f" (slowest {path}: {took * 1000:.0f} ms),"
            f" {service.received()} mails to {service.members()} members, {desk.pictures} pictures,"
            f" {time.perf_counter() - began:.0f} s in all",
            flush=True,
        )
        return {
            "clicks": clicks,
            "pages": pages,
            "server_seconds": round(seconds, 2),
            "axe_findings": len(tally.axe),
            "console_errors": len(tally.console),
            "csp_violations": len(tally.csp),
            "other": len(tally.other),
            "editions_sent": service.editions_sent(),
        }


if __name__ == "__main__":
    main()
