from typing import Any

from django.db import migrations

from iam.policies import FULL_ACCESS, READ_ONLY

POLICIES = (
    ("KooMessage FullAccess", "Everything in the console, except managing users and their rights.", FULL_ACCESS),
    ("KooMessage ReadOnlyAccess", "Look at everything in the console, and change nothing.", READ_ONLY),
)


def create(apps: Any, schema_editor: Any) -> None:
    policy = apps.get_model("iam", "Policy")
    for name, description, document in POLICIES:
        policy.objects.get_or_create(
            tenant=None, name=name, defaults={"description": description, "document": document}
        )


class Migration(migrations.Migration):
    dependencies = [("iam", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
