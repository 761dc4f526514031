from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("email_service", "0004_template_version_names")]

    operations = [
        migrations.AlterField(
            model_name="domain",
            name="status",
            field=models.CharField(
                choices=[
                    ("unverified", "Verification not passed"),
                    ("checking", "Verifying"),
                    ("verified", "Verification passed"),
                ],
                default="unverified",
                max_length=12,
                verbose_name="status",
            ),
        ),
    ]
