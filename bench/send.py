"""The whole sending path, one process, against `smtp-source` and django-post_office: `make bench`.

The same 10 KB HTML mail goes to the same sink from every side, round by round in turn, and medians count:

- ours, signed and unsigned: claim, render with five parameters, tracked links, pixel and unsubscribe link, sign,
  SMTP, result rows, until the task is finished;
- `smtp-source -s 4 -d` with one of our unsigned mails, ready made;
- django-post_office with its own defaults: rendered from a template when sent, not signed, not tracked.

CPU and peak are those of the one sending process. The last line is JSON.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench import databases, postfix
from bench.sides import ROOT, Side, house, running

PEER = ROOT / ".venv-bench" / "bin" / "python"


def main() -> None:
    options = parse()
    server = databases.choose(options.database)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        sink = stack.enter_context(postfix.sink())
        ours = stack.enter_context(
            house(stack.enter_context(databases.database(server, folder, "bench")), folder)
        )
        sample = ours.ask("make", "unsigned", 1, sink.port)
        made = ours.ask("mail", sample["task"], folder / "mail")
        ours.ask("send")
        peer = stack.enter_context(peer_side(server, folder, sink.port, made["text"]))
        figures: defaultdict[str, list[float]] = defaultdict(list)
        for number in range(options.rounds + 1):  # the first warms up and does not count
            one = one_round(ours, peer, sink, folder / "mail", options)
            if number:
                for name, value in one.items():
                    figures[name].append(value)
            say(f"{'Round ' + str(number) if number else 'Warm-up'}: {line_of(one)}")
    report(figures, "SQLite" if server == "sqlite" else "PostgreSQL", made["octets"])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.send", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--database", help="sqlite, postgresql, or a server's address; else what answers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=3000, help="of ours, signed and unsigned, a round")
    parser.add_argument("--peer-messages", type=int, default=600)
    parser.add_argument("--source-messages", type=int, default=8000)
    return parser.parse_args()


@contextmanager
def peer_side(server: str, folder: Path, port: int, text: str) -> Iterator[Side]:
    with databases.database(server, folder, "bench_peer") as address:
        settings = {"DATABASE_URL": address, "SINK_PORT": str(port), "TEXT": text}
        with running(PEER, "-m", "bench.peer", **settings) as peer:
            peer.ask("migrate")
            yield peer


def one_round(
    ours: Side, peer: Side, sink: postfix.Sink, mail: Path, options: argparse.Namespace
) -> dict[str, float]:
    found: dict[str, float] = {}
    for kind in ("signed", "unsigned"):
        task = ours.ask("make", kind, options.messages, sink.port)["task"]
        before = sink.taken()
        spent = ours.ask("send")
        proof = ours.ask("prove", task)
        taken = sink.taken() - before
        assert taken == proof["delivered"] == options.messages, (taken, proof)
        assert proof["status"] == "finished" or options.messages > 5000, proof
        found |= {
            f"{kind}_rate": options.messages / spent["wall"],
            f"{kind}_cpu": 1000 * spent["cpu"] / options.messages,
            "peak_mb": spent["peak_mb"],
        }
    found["source_rate"] = options.source_messages / postfix.source(sink.port, options.source_messages, mail)
    peer.ask("queue", options.peer_messages)
    before = sink.taken()
    spent = peer.ask("send")
    taken = sink.taken() - before
    assert taken == options.peer_messages, taken
    return found | {
        "peer_rate": options.peer_messages / spent["wall"],
        "peer_cpu": 1000 * spent["cpu"] / options.peer_messages,
    }


def report(figures: dict[str, list[float]], database: str, octets: int) -> None:
    middle = {name: median(values) for name, values in figures.items()}
    say(
        f"Medians of {len(figures['signed_rate'])} rounds on {database}, {octets} octets a mail: {line_of(middle)}"
    )

    def ratio(over: str, under: str) -> float:
        return round(median(a / b for a, b in zip(figures[over], figures[under], strict=True)), 3)

    answer: dict[str, Any] = {
        "signed_vs_smtp_source": ratio("signed_rate", "source_rate"),
        "signed_vs_post_office": ratio("signed_rate", "peer_rate"),
        "unsigned_vs_smtp_source": ratio("unsigned_rate", "source_rate"),
        "unsigned_vs_post_office": ratio("unsigned_rate", "peer_rate"),
        "cpu_per_1000_signed": round(middle["signed_cpu"], 3),
        "cpu_per_1000_unsigned": round(middle["unsigned_cpu"], 3),
        "peak_mb": round(max(figures["peak_mb"]), 1),
    }
    say(json.dumps(answer))


def line_of(found: dict[str, float]) -> str:
    return (
        f"signed {found['signed_rate']:.0f}/s ({found['signed_cpu']:.2f} CPU s per 1,000), "
        f"unsigned {found['unsigned_rate']:.0f}/s ({found['unsigned_cpu']:.2f}), "
        f"smtp-source {found['source_rate']:.0f}/s, "
        f"django-post_office {found['peer_rate']:.0f}/s ({found['peer_cpu']:.2f})"
    )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
