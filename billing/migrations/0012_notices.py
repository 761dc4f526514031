import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0011_credit_limit_in_the_admin"),
        ("iam", "0004_names_in_any_case"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="package",
            options={
                "default_permissions": ("list", "view", "add", "change"),
                "verbose_name": "package",
                "verbose_name_plural": "packages",
            },
        ),
        migrations.AddField(
            model_name="account",
            name="alert_percent",
            field=models.PositiveSmallIntegerField(
                blank=True,
                default=80,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(100),
                ],
                verbose_name="share of a package used",
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="alert_remaining",
            field=models.BigIntegerField(
                blank=True,
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="mails remaining",
            ),
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("expiry", "A package ends soon"),
                            ("share", "A package is mostly used"),
                            ("remaining", "Few mails remain"),
                            ("arrears", "The account is in arrears"),
                        ],
                        max_length=9,
                        verbose_name="kind",
                    ),
                ),
                ("key", models.CharField(max_length=64)),
                ("at", models.DateTimeField(verbose_name="time")),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="iam.tenant"
                    ),
                ),
            ],
            options={
                "verbose_name": "notice",
                "verbose_name_plural": "notices",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "kind", "key"), name="notice_once")
                ],
            },
        ),
    ]
