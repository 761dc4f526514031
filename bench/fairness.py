"""How long does a small task wait while another account sends a large one? `make bench-fairness`

One worker sends a task of 100,000; then, several times, another account's task of ten messages comes. The last line is
JSON: the longest time until its first message was begun, and until its last.
"""

import argparse
import json
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from bench import databases, postfix
from bench.send import say
from bench.sides import house

SMALL = 10
TIMES = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.fairness", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--database", help="sqlite, postgresql, or a server's address; else what answers")
    parser.add_argument("--messages", type=int, default=100_000)
    options = parser.parse_args()
    server = databases.choose(options.database)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sink = stack.enter_context(postfix.sink())
        address = stack.enter_context(databases.database(server, folder, "fairness"))
        tenants = stack.enter_context(house(address, folder))
        worker = stack.enter_context(house(address, folder))
        large = tenants.ask("make", "signed", options.messages, sink.port)["task"]
        sending = threading.Thread(target=worker.ask, args=("send_for", 4 * TIMES))
        sending.start()
        small = []
        for _ in range(TIMES):
            time.sleep(3)
            small.append(tenants.ask("make", "signed", SMALL, sink.port, "second")["task"])
        sending.join()
        waits = [tenants.ask("waited", task) for task in small]
        still = tenants.ask("prove", large)
    assert still["delivered"] < options.messages, "The large task ended too soon: give it more messages."
    for wait in waits:
        say(f"first message begun after {wait['first']:.2f} s, last after {wait['last']:.2f} s")
    first, last = (max(wait[name] for wait in waits) for name in ("first", "last"))
    say(
        json.dumps(
            {"messages": options.messages, "starts_in": round(first, 2), "all_begun_in": round(last, 2)}
        )
    )


if __name__ == "__main__":
    main()
