from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0010_default_prices"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="account",
            options={
                "default_permissions": ("view", "change"),
                "permissions": [("freeze_account", "Can freeze and thaw accounts")],
                "verbose_name": "billing account",
                "verbose_name_plural": "billing accounts",
            },
        ),
    ]
