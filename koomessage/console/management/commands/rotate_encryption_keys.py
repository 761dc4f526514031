"""Encrypt every stored secret with the first of FIELD_ENCRYPTION_KEYS."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand

from koomessage.common.encryption import renew
from koomessage.common.models import EncryptedTextField


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret (DKIM keys, passwords) anew with the first of FIELD_ENCRYPTION_KEYS, in "
        "batches and beside running workers; may be stopped and repeated. Afterwards the other keys can be "
        "taken out of the setting. Exit status 1: values remain that no key decrypts."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = 0
        for model in apps.get_models():
            for field in model._meta.local_fields:
                if isinstance(field, EncryptedTextField) and not model._meta.proxy:
                    count = renew(model, field.name)
                    unreadable += count.unreadable
                    self.stdout.write(
                        f"{model._meta.label}.{field.name}: {count.renewed} encrypted anew, {count.current} "
                        f"were already, {count.unreadable} unreadable"
                    )
        if unreadable:
            self.stderr.write("Some values cannot be decrypted: put the key that made them back, and repeat.")
            raise SystemExit(1)
