from typing import Any

from django.db import migrations

from iam.staff import REVIEW_RIGHTS, REVIEW_STAFF


def create(apps: Any, schema_editor: Any) -> None:
    """Make the group and the rights it holds; Django's own step after migrating finds them there."""
    group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=REVIEW_STAFF)
    for (label, model), words in REVIEW_RIGHTS.items():
        kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
            app_label=label, model=model
        )
        for word in words:
            permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
                content_type=kind, codename=f"{word}_{model}", defaults={"name": f"Can {word} {model}"}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("iam", "0002_system_policies"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
