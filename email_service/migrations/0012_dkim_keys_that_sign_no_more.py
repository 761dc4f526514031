from datetime import timedelta

from django.db import migrations
from django.utils import timezone


def retire(apps, schema_editor):
    keys = apps.get_model("email_service", "DkimKey").objects.filter(is_active=False)
    keys.update(state="retiring", keep_until=timezone.now() + timedelta(days=7))


def silence(apps, schema_editor):
    keys = apps.get_model("email_service", "DkimKey").objects.exclude(state="signing")
    keys.update(is_active=False)


class Migration(migrations.Migration):
    dependencies = [("email_service", "0011_dkim_key_states")]

    operations = [migrations.RunPython(retire, silence)]
