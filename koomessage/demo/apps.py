from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DemoConfig(AppConfig):
    """Installed only where settings.DEMO is set."""

    name = "koomessage.demo"
    label = "demo"
    verbose_name = _("Demo")
