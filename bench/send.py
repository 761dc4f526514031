"""Measure the whole sending path in one process: claim, render, sign, SMTP, result rows.

`python -m bench.send [MESSAGES]` sends one task of 10 KB HTML mails with five parameters and an unsubscribe
link to a sink on loopback, on the database of DATABASE_URL (a SQLite file of its own unless set), and prints
a last line of JSON: messages a second, CPU seconds of this process per 1,000 messages, its peak memory in MB.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARAMETERS = ("name", "city", "code", "product", "link")
PARAGRAPH = (
    "<p style='margin:0 0 12px'>{{name}}，您在{{city}}订购的{{product}}已经发出，提货码 {{code}}。"
    + "正文" * 40
    + "</p>"
)


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        os.environ |= {"ENV_FILE": str(ROOT / "tests" / "test.env"), "DATA_DIR": folder, "LOG_LEVEL": "ERROR"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "koomessage.settings"
        import django

        django.setup()
        from bench import sending

        with (
            sending.database(),
            subprocess.Popen(
                [sys.executable, str(ROOT / "bench" / "sink.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as sink,
        ):
            assert sink.stdin and sink.stdout
            task = sending.make_task_of(count, int(sink.stdout.readline()), PARAMETERS, PARAGRAPH * 16)
            wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
            sending.send_all()
            wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_SELF)
            sink.stdin.close()
            taken = int(sink.stdout.readline())
            sending.prove(task, taken, count)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        figures = {
            "messages": count,
            "signed_per_second": round(count / wall, 1),
            "cpu_per_1000_signed": round(1000 * cpu / count, 3),
            "peak_mb": round(after.ru_maxrss / 1024, 1),
        }
        sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
