"""How long do the console's pages take over ten million messages? `make bench-pages`

Fills a database of its own (10,000,000 messages on PostgreSQL, 1,000,000 on SQLite, with attempts, events and
reports), then asks for each kind of page so many times, each time for another. The last line is JSON: the 95th
percentile of the server's milliseconds by kind of page.
"""

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench import databases
from bench.send import say
from bench.sides import ROOT, running

MESSAGES = {"sqlite": 1_000_000, "postgresql": 10_000_000}
KINDS = (
    "first_page", "deep_page", "task_and_status", "exact_recipient", "substring", "message_page", "report_day",
    "report_year", "overview",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.pages", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--database", help="sqlite, postgresql, or a server's address; else what answers")
    parser.add_argument("--messages", type=int)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    server = databases.choose(options.database)
    number = options.messages or MESSAGES["sqlite" if server == "sqlite" else "postgresql"]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address = stack.enter_context(databases.database(server, folder, "pages"))
        settings = {"ENV_FILE": str(ROOT / "tests" / "test.env"), "DATABASE_URL": address}
        settings |= {"DATA_DIR": str(folder / "data"), "LOG_LEVEL": "ERROR"}
        program = (sys.executable, "-m", "bench.archive")
        with running(*program, **settings) as maker:
            began = time.perf_counter()
            made = maker.ask("fill", number)
            say(f"{made['messages']} messages filled in {time.perf_counter() - began:.0f} s")
        with running(*program, **settings) as console:
            found = {kind: console.ask("measure", kind, options.rounds) for kind in KINDS}
    for kind, times in found.items():
        say(
            "{:>16}: median {median:.1f} ms, p95 {p95:.1f} ms, longest {longest:.1f} ms".format(kind, **times)
        )
    say(json.dumps({kind: round(times["p95"], 1) for kind, times in found.items()}))


if __name__ == "__main__":
    main()
