"""How fast does a recipient file become messages? `make bench-recipients`

A file of 35 to 40 MB is uploaded as a task's, and read by a process of its own: judged, freed of duplicates and of
suppressed addresses, stored, its units reserved. The last line is JSON: rows a second, and that process's peak memory.
"""

import argparse
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import databases, recipient_file
from bench.send import say
from bench.sides import house


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.recipients", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--database", help="sqlite, postgresql, or a server's address; else what answers")
    parser.add_argument("--rows", type=int, default=520_000)
    parser.add_argument(
        "--columns", type=int, default=6, choices=range(2, 7), help="1,000,000 rows fit with 4"
    )
    parser.add_argument("--rounds", type=int, default=1, help="the best of them counts")
    options = parser.parse_args()
    server = databases.choose(options.database)
    rounds = []
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "recipients.xlsx"
        expected, last = recipient_file.build(file, options.rows, columns=options.columns)
        size = file.stat().st_size / 2**20
        say(f"{options.rows:,} rows of {options.columns} columns in {size:.1f} MB: {expected}")
        for number in range(options.rounds):
            rounds.append(one_round(server, file, options.columns, expected, last))
            say(f"Round {number + 1}: {rounds[-1]}")
    say(json.dumps(max(rounds, key=lambda found: found["rows_per_second"])))


def one_round(server: str, file: Path, columns: int, expected: dict[str, int], last: str) -> dict[str, float]:
    with ExitStack() as stack:
        address = stack.enter_context(databases.database(server, file.parent, "recipients"))
        # What writes the task is not what is measured.
        maker = stack.enter_context(house(address, file.parent, "bench.reading"))
        task = maker.ask("make", file, last, *recipient_file.HEADER[1:columns])["task"]
        reader = stack.enter_context(house(address, file.parent, "bench.reading"))
        spent = reader.ask("read", task)
        found = reader.ask("prove", task)
    say(f"{spent['wall']:.1f} s, of which this process worked {spent['cpu']:.1f}")
    wanted = {"accepted": expected["good"] - 1, "suppressed": 1}
    wanted |= {"bad": expected["bad"], "duplicate": expected["duplicate"]}
    assert found == wanted | {"messages": wanted["accepted"]}, (found, wanted)
    return {
        "rows_per_second": round(sum(expected.values()) / spent["wall"]),
        "peak_mb": round(spent["peak_mb"], 1),
    }


if __name__ == "__main__":
    main()
