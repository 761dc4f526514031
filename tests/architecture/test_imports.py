"""The import rules of pyproject.toml hold, and a breach is seen."""

import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT

LINT = Path(sys.executable).with_name("lint-imports")


def test_the_import_contracts_hold():
    result = subprocess.run([LINT, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


def test_an_import_that_leads_upwards_is_seen(tmp_path: Path):
    for name, text in {"low": "import high\n", "high": ""}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    (tmp_path / ".importlinter").write_text(
        "[importlinter]\nroot_packages =\n    low\n    high\n"
        "[importlinter:contract:floors]\nname = floors\ntype = layers\nlayers =\n    high\n    low\n"
    )

    result = subprocess.run(
        [LINT, "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(tmp_path)},
    )

    assert result.returncode == 1
    assert "low is not allowed to import high" in result.stdout
