from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EmailServiceConfig(AppConfig):
    name = "email_service"
    verbose_name = _("Email")

    def ready(self) -> None:
        """Tie what lower sections ask of higher ones, where no import may lead upwards."""
        from billing.freezing import Brake, add_brake
        from email_service.addresses.queries import addresses_at
        from email_service.addresses.uses import add_use as add_address_use
        from email_service.domains.uses import add_use as add_domain_use
        from email_service.downloads.sources import add_source as add_export_source
        from email_service.mail_templates.uses import add_picture_use
        from email_service.send_details.exports import MESSAGES
        from email_service.send_details.sources import add_source as add_mail_source
        from email_service.send_tasks.ceilings import with_use
        from email_service.send_tasks.mailing import source_of
        from email_service.send_tasks.queries import tasks_of_address, tasks_of_domain, tasks_of_picture
        from email_service.setup.gates import configured
        from email_service.setup.queries import pause_reason_of
        from email_service.setup.services import let_account_go, stop_account
        from email_service.setup.uses import add_use as add_limit_use
        from koomessage.common.permissions import add_gate

        add_gate("email_service", configured)
        add_domain_use(addresses_at)
        add_domain_use(tasks_of_domain)
        add_address_use(tasks_of_address)
        add_picture_use(tasks_of_picture)
        add_limit_use(with_use)
        add_export_source(MESSAGES)
        add_mail_source(source_of)
        add_brake(Brake(stop_account, let_account_go, pause_reason_of))
