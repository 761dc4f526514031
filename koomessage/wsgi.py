"""The console for WSGI servers (gunicorn koomessage.wsgi)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
application = get_wsgi_application()
