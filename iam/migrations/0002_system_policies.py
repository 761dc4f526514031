from typing import Any

from django.db import migrations

from iam.policies import SYSTEM_POLICIES


def create(apps: Any, schema_editor: Any) -> None:
    policy = apps.get_model("iam", "Policy")
    for name, description, document in SYSTEM_POLICIES:
        policy.objects.get_or_create(
            tenant=None, name=name, defaults={"description": description, "document": document}
        )


class Migration(migrations.Migration):
    dependencies = [("iam", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
