"""Hosts of an installation, each a process group with a name, a journal and a temporary folder of its own."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from koomessage.demo.browser import Browser, Page
from koomessage.demo.guide import CHECK_STATE
from tests.email_service.send_tasks.sending import XLSX
from tests.faults.house import House, wait_for, write_sheet
from tests.faults.servers import free_port, wait_for_port


class Host:
    """What docs/production.md runs on a sending host: a worker that sends, one for everything else, a schedule."""

    def __init__(self, house: House, name: str, **environment: str) -> None:
        self.house = house
        self.name = name
        self.folder = house.folder / name
        self.journal = self.folder / "journal"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            "HOST_NAME": name,
            "JOURNAL_DIR": str(self.journal),
            "DATA_DIR": str(self.folder / "data"),
            "TMPDIR": str(self.folder / "tmp"),
            **environment,
        }

    def begin(self, *, beats: bool = True) -> None:
        """Start the host's processes; they are ready some seconds later."""
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        self.processes = []
        self._run("sending", "worker", "-Q", "sending", "-c", "2")
        self._run("console", "worker", "-Q", "console,reading", "-c", "1")
        if beats:
            self._run("beat", "beat", "--pidfile", "", "-s", str(self.folder / "schedule"))

    def _run(self, what: str, kind: str, *arguments: str) -> None:
        named = (
            ["-n", f"{what}@{self.name}", "--without-gossip", "--without-mingle"] if kind == "worker" else []
        )
        said = [*arguments, *named, "--loglevel", "INFO"]
        group = self.processes[0].pid if self.processes else 0
        log = f"{self.name}-{what}"
        self.processes.append(self.house.celery(kind, *said, log=log, group=group, **self.environment))

    def wait(self, times: int = 1) -> None:
        for what in ("sending", "console"):
            log = f"{self.name}-{what}"
            wait_for(
                lambda log=log: self.house.said(log).count(" ready.") >= times,
                60,
                self.house.said(log)[-2000:],
            )

    def kill(self) -> None:
        """The machine is gone, and its disk with it."""
        os.killpg(self.processes[0].pid, signal.SIGKILL)
        for process in self.processes:
            process.wait(10)
        shutil.rmtree(self.journal)

    def stop(self) -> None:
        """Take the host away as documented: SIGTERM to each service's main process."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            assert process.wait(30) == 0, self.house.said(f"{self.name}-sending")[-2000:]


class Console:
    """The web process, and its visitors."""

    def __init__(self, house: House, port: int, accounts: int, *suppressed: str) -> None:
        self.house = house
        found = json.loads(house.run("cast", str(port), str(accounts), *suppressed).splitlines()[-1])
        self.people: list[dict[str, str]] = found["people"]
        self.operator: str = found["operator"]
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        serving = ["--workers", "2", "--threads", "2", "--bind", f"127.0.0.1:{self.port}"]
        house.start("-m", "gunicorn", "koomessage.wsgi", *serving, log="web", BASE_URL=self.address)
        wait_for_port(self.port)

    def visitor(self, session: str) -> Browser:
        browser = Browser(self.address)
        browser.client.cookies.set("sessionid", session, domain="127.0.0.1")
        return browser

    def submit(self, account: int, messages: int, name: str, *attached: str) -> Page:
        """Submit a sheet of so many recipients, and a file to go with each mail, through the form."""
        person = self.people[account]
        path: Path = self.house.folder / f"{name}.xlsx"
        write_sheet(path, messages, name)
        browser = self.visitor(person["session"])
        values: dict[str, Any] = {
            "name": name,
            "subject": "Hello",
            "template": person["template"],
            "address": person["address"],
            "send_type": "now",
            "source": "file",
        }
        files = {"file": (path.name, path.read_bytes(), XLSX)}
        if attached:
            files["attachments"] = (attached[0], b"A guide. " * 50, "application/pdf")
        page = browser.submit(browser.open("/email/tasks/add/"), "/add/", values, files=files).expect(name)
        page = browser.wait_for(page.path, CHECK_STATE, "已检查", within=120)
        bad = "leaves_out" in page.form("/submit/").fields
        return browser.submit(page, "/submit/", {"leaves_out": "on"} if bad else {}).expect(name)
