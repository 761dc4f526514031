"""Settings come from the environment; what is missing or odd stops the start with a sentence."""

import os
import re
import subprocess
import sys

import pytest

from koomessage.celery import app as celery_app
from koomessage.schedule import SCHEDULE
from tests.architecture.source import ROOT

PRODUCTION = {
    "SECRET_KEY": "k2J-9fQz_7wLrV4tXnB8mYs3cHd6gTe1pAu5iOx0vWqRbNjM-zK8eF",
    "BASE_URL": "https://console.example.com",
    "ALLOWED_HOSTS": "console.example.com",
    "CELERY_BROKER_URL": "redis://127.0.0.1:6379/0",
    "STATIC_MANIFEST": "false",
}


def manage(tmp_path: object, command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    path = ROOT / "tests" / "empty.env"
    environment = {"PATH": os.environ["PATH"], "ENV_FILE": str(path), "DATA_DIR": str(tmp_path), **variables}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SECRET_KEY", None, "SECRET_KEY is not set"),
        ("DEBUG", "perhaps", "DEBUG holds a value that cannot be read"),
        ("BASE_URL", "console.example.com", "must be an address such as https://"),
        ("RELAY_PORT", "70000", "must lie between 1 and 65535"),
        ("RELAY_SECURITY", "ssl3", "must be one of none, starttls, tls"),
        ("DIRECT_ALLOWED_NETWORKS", "10.0.0.1/8", "must look like 10.0.0.0/8"),
        ("DNS_NAMESERVERS", "127.0.0.1:dns", "port is not a number"),
        ("DATABASE_URL", "nonsense", "cannot be read as a database address"),
        ("HOST_NAME", "mail 1", "must be up to 40 letters"),
        ("MEDIA_STORAGE", "/srv/media", "must be empty or look like s3://bucket"),
        ("MEDIA_STORAGE", "s3://key:secret@uploads", "may hold no credentials"),
        ("MEDIA_STORAGE", "s3://Up_loads", "which no bucket is called"),
        ("MEDIA_STORAGE", "s3://uploads/../other", "must not hold # or .."),
        ("MEDIA_STORAGE", "s3://uploads?acl=public-read", "holds acl, which means nothing here"),
        ("MEDIA_STORAGE", "s3://uploads?region=a&region=b", "says the same thing twice"),
        ("MEDIA_STORAGE", "s3://uploads?region", "bad query field"),
        ("MEDIA_STORAGE", "s3://uploads?endpoint=store.example.com", "must look like https://host:port"),
        ("MEDIA_STORAGE", "s3://uploads?addressing=dns", "must be path or virtual"),
        ("MEDIA_STORAGE", "s3://[uploads", "Invalid IPv6 URL"),
        ("PAYMENT_GATEWAY_URL", "pay.example", "must be an address such as https://"),
        ("PAYMENT_GATEWAY_URL", "https://pay.example", "PAYMENT_GATEWAY_KEY is not set"),
        ("ENV_FILE", "/nowhere/.env", "names /nowhere/.env, which is not there"),
    ],
)
def test_a_missing_or_odd_value_stops_the_start_with_a_sentence(tmp_path, name, value, words):
    variables = {**PRODUCTION, name: value}
    if value is None:
        del variables[name]

    result = manage(tmp_path, ["check"], **variables)

    assert result.returncode != 0
    assert words in result.stderr
    assert "See .env.example" in result.stderr


def test_the_deployment_check_is_clean_with_production_variables(tmp_path):
    result = manage(tmp_path, ["check", "--deploy", "--fail-level", "INFO"], **PRODUCTION)

    assert result.returncode == 0, result.stderr + result.stdout


def test_static_files_can_be_collected_for_production(tmp_path):
    variables = {**PRODUCTION, "STATIC_MANIFEST": "true", "STATIC_ROOT": str(tmp_path / "static")}

    result = manage(tmp_path, ["collectstatic", "--noinput"], **variables)

    assert result.returncode == 0, result.stderr
    assert (tmp_path / "static" / "staticfiles.json").is_file()


def test_the_example_names_every_variable_and_no_other():
    source = (ROOT / "koomessage" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    example = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert read == example


def test_no_migration_is_missing(tmp_path):
    result = manage(tmp_path, ["makemigrations", "--check", "--dry-run"], **PRODUCTION)

    assert result.returncode == 0, result.stdout


def test_the_schedule_names_jobs_that_exist():
    celery_app.loader.import_default_modules()

    assert {entry["task"] for entry in SCHEDULE.values()} <= set(celery_app.tasks)
