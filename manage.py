#!/usr/bin/env python
"""Django's command line; `manage.py demo` runs everything on embedded defaults."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
    if sys.argv[1:2] == ["demo"]:
        from koomessage.demo.environment import prepare

        prepare()
    execute_from_command_line(sys.argv)
