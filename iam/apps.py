from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IamConfig(AppConfig):
    name = "iam"
    verbose_name = _("Permissions")

    def ready(self) -> None:
        from iam.gates import activated
        from koomessage.common.permissions import add_gate

        for label in ("console", "billing", "email_service"):
            add_gate(label, activated)
