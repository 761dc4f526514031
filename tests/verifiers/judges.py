"""Debian's opendkim and SpamAssassin, asked about mails in files; every question of theirs goes to the test's zone."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dns_server import Zone
from tests.verifiers.world import RECEIVING_IP

PLUGINS = Path("/etc/spamassassin")
RULES = Path("/usr/share/spamassassin")
# Debian's file of these rules asks for the plugin by a name that it no longer has, and so defines none.
DMARC_RULES = {"DMARC_PASS": "pass", "DMARC_REJECT": "reject", "DMARC_MISSING": "missing"}


@dataclass(frozen=True, slots=True)
class Score:
    """What SpamAssassin says: points in all, and of each rule that hit."""

    points: float
    rules: dict[str, float]


def opendkim(mails: Sequence[bytes], *, zone: Zone, folder: Path) -> list[str]:
    """Return the result of each mail's signature as Authentication-Results tells it: pass, fail …"""
    program = _program("opendkim", "opendkim")
    resolver = folder / "unbound.conf"
    resolver.write_text(
        "server:\n  do-not-query-localhost: no\n"
        f'forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@{zone.port}\n'
    )
    settings = folder / "opendkim.conf"
    # RequiredHeaders refuses a mail that lacks a header of RFC 5322, or has one twice.
    settings.write_text(f"Mode v\nResolverConfiguration {resolver}\nRequiredHeaders yes\n")
    files = _written(mails, folder)
    command = [program, "-x", str(settings), "-vv", "-t", ",".join(map(str, files))]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    results = re.findall(r"dkim=(\w+) ", said.stdout)
    assert len(results) == len(mails), said.stdout + said.stderr
    assert "SMFIS_REJECT" not in said.stderr, said.stderr
    return results


def spamassassin(mails: Sequence[bytes], *, zone: Zone, folder: Path) -> list[Score]:
    """Return each mail's score by Debian's rules, those that ask the DNS among them, without any training."""
    program = _program("spamassassin", "spamassassin")
    for module, package in (("SPF", "libmail-spf-perl"), ("DMARC", "libmail-dmarc-perl")):
        if subprocess.run(["perl", f"-MMail::{module}", "-e1"], capture_output=True, check=False).returncode:
            pytest.fail(f"SpamAssassin cannot judge {module}: install Debian's package {package}.")
    site = folder / "site"
    site.mkdir()
    for plugins in PLUGINS.glob("*.pre"):
        shutil.copy(plugins, site)
    rules = [f"header {rule} eval:check_dmarc_{result}()" for rule, result in DMARC_RULES.items()]
    settings = [
        f"dns_server 127.0.0.1:{zone.port}",
        "dns_available yes",
        "use_bayes 0",
        "use_razor2 0",
        "use_pyzor 0",
        f"trusted_networks {RECEIVING_IP}",
        f"internal_networks {RECEIVING_IP}",
        "report_safe 0",
        "clear_headers",
        "add_header all Judged _SCORE_ _TESTSSCORES(,)_",
    ]
    (site / "local.cf").write_text("\n".join([*settings, *rules, ""]))
    (folder / "preferences").touch()
    # Mail::DMARC asks whom the environment names, which Perl forbids in the mode that the program asks for.
    open_program = folder / "spamassassin"
    open_program.write_text(Path(program).read_text().replace("#!/usr/bin/perl -T", "#!/usr/bin/perl", 1))
    command = ["perl", str(open_program), f"--configpath={RULES}", f"--siteconfigpath={site}"]
    command += [f"--prefspath={folder / 'preferences'}", *map(str, _written(mails, folder))]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "RES_NAMESERVERS": "127.0.0.1",
        "RES_OPTIONS": f"port:{zone.port}",
    }
    said = subprocess.run(command, capture_output=True, timeout=300, env=environment, check=False)
    found = re.findall(rb"^X-Spam-Judged: (\S+) ((?:.*\n(?:[ \t].*\n)*))", said.stdout, re.MULTILINE)
    assert len(found) == len(mails), said.stderr.decode()
    return [Score(float(points), _rules(hits.decode())) for points, hits in found]


def _rules(hits: str) -> dict[str, float]:
    pairs = (hit.split("=") for hit in re.sub(r"\s", "", hits).split(","))
    return {name: float(points) for name, points in pairs}


def _written(mails: Sequence[bytes], folder: Path) -> list[Path]:
    files = []
    for number, mail in enumerate(mails):
        files.append(folder / f"{number}.eml")
        files[-1].write_bytes(mail)
    return files


def _program(name: str, package: str) -> str:
    """Find a judge's program; without it nothing is judged, and the test fails."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.fail(
            f"{name} is missing: install Debian's package {package} (scripts/verifiers does it as root)."
        )
    return found
