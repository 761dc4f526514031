"""Loaded by pytest before Django reads its settings."""

import os
from pathlib import Path

os.environ["ENV_FILE"] = str(Path(__file__).with_name("test.env"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
