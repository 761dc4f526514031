"""Does sending stay as fast, and as small, while a task grows? `make bench-growth BENCH="--messages 1000000"`

One task, sent slice by slice by one process while the schedule's sweep runs beside it. A line a slice: messages a
second, CPU seconds per 1,000, memory. The last line is JSON; "cpu_drift" and "rate_drift" compare the medians of the
second half with those of the first: 0.05 is 5 % more. "pages_ms" are the console's pages of the task, its messages and
the list of tasks, asked for beside the sending: the medians of both halves.
"""

import argparse
import json
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import databases, postfix
from bench.send import say
from bench.sides import house

SLICE = 10_000
SWEEP_EVERY = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.growth", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--database", help="sqlite, postgresql, or a server's address; else what answers")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--kind", choices=("signed", "unsigned"), default="signed")
    options = parser.parse_args()
    server = databases.choose(options.database)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sink = stack.enter_context(postfix.sink())
        address = stack.enter_context(databases.database(server, folder, "growth"))
        schedule = stack.enter_context(house(address, folder))
        ours = stack.enter_context(house(address, folder))
        task = schedule.ask("make", options.kind, options.messages, sink.port)["task"]
        schedule.ask("pages", task)  # compiles templates
        done = threading.Event()
        pages = []

        def tidy() -> None:
            while not done.wait(SWEEP_EVERY):
                schedule.ask("tidy")
                pages.append(schedule.ask("pages", task)["ms"])

        beside = threading.Thread(target=tidy)
        beside.start()
        try:
            slices = []
            for number in range(1, -(-options.messages // SLICE) + 1):
                size = min(SLICE, options.messages - (number - 1) * SLICE)
                one = ours.ask("send_some", size)
                slices.append((size / one["wall"], 1000 * one["cpu"] / size, one["now_mb"]))
                say("{:>9}: {:.0f}/s, {:.3f} CPU s per 1,000, {:.1f} MB".format(number * SLICE, *slices[-1]))
        finally:
            done.set()
            beside.join()
        schedule.ask("tidy")
        proof = schedule.ask("prove", task)
        assert proof == {"delivered": options.messages, "status": "finished"}, proof
        assert sink.taken() == options.messages
    half = max(1, len(slices) // 2)
    rate, cpu, memory = (
        (median(one[place] for one in slices[:half]), median(one[place] for one in slices[half:] or slices))
        for place in range(3)
    )
    middle = max(1, len(pages) // 2)
    say(
        json.dumps(
            {
                "messages": options.messages,
                "per_second": round(median(one[0] for one in slices), 1),
                "rate_drift": round(rate[1] / rate[0] - 1, 3),
                "cpu_drift": round(cpu[1] / cpu[0] - 1, 3),
                "memory_mb": [round(memory[0], 1), round(memory[1], 1)],
                "pages_ms": [round(median(part), 1) for part in (pages[:middle], pages[middle:]) if part],
            }
        )
    )


if __name__ == "__main__":
    main()
