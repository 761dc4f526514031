from decimal import Decimal
from typing import Any

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from billing import append_only


def guard(apps: Any, schema_editor: Any) -> None:
    """SQLite rebuilds the ledger's table, and loses its triggers."""
    append_only.guard(schema_editor.connection)


def nothing(apps: Any, schema_editor: Any) -> None:
    """Whichever way the migration goes, only its last step guards."""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0008_purchase_limit"),
        ("iam", "0004_names_in_any_case"),
    ]

    operations = [
        migrations.RunPython(nothing, guard),
        migrations.CreateModel(
            name="HourUsage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField(verbose_name="hour")),
                ("units", models.BigIntegerField(verbose_name="mails")),
            ],
            options={
                "verbose_name": "usage of an hour",
                "verbose_name_plural": "usage by the hour",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PriceTier",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(default="CNY", max_length=3, verbose_name="currency")),
                ("valid_from", models.DateTimeField(verbose_name="valid from")),
                (
                    "from_units",
                    models.BigIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000000000000),
                        ],
                        verbose_name="beyond so many mails a month",
                    ),
                ),
                (
                    "price",
                    models.DecimalField(
                        decimal_places=4,
                        max_digits=8,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.00"))],
                        verbose_name="price a mail",
                    ),
                ),
            ],
            options={
                "verbose_name": "pay-as-you-go price",
                "verbose_name_plural": "pay-as-you-go prices",
                "ordering": ("currency", "-valid_from", "from_units"),
                "default_permissions": ("view", "add", "change", "delete"),
            },
        ),
        migrations.RemoveConstraint(
            model_name="moneyentry",
            name="money_entry_has_its_sign",
        ),
        migrations.RemoveConstraint(
            model_name="moneyentry",
            name="money_entry_of_an_order",
        ),
        migrations.AddField(
            model_name="account",
            name="arrears_since",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="in arrears since"
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="credit_limit",
            field=models.DecimalField(
                decimal_places=2,
                default=Decimal("0.00"),
                max_digits=14,
                validators=[django.core.validators.MinValueValidator(Decimal("0.00"))],
                verbose_name="credit limit",
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="usage_settled_until",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="usage settled until"
            ),
        ),
        migrations.AddField(
            model_name="moneyentry",
            name="hour",
            field=models.DateTimeField(editable=False, null=True, verbose_name="hour"),
        ),
        migrations.AddField(
            model_name="moneyentry",
            name="month",
            field=models.DateField(editable=False, null=True, verbose_name="month"),
        ),
        migrations.AddField(
            model_name="moneyentry",
            name="priced_from",
            field=models.DateTimeField(editable=False, null=True, verbose_name="prices valid from"),
        ),
        migrations.AddField(
            model_name="moneyentry",
            name="units",
            field=models.BigIntegerField(editable=False, null=True, verbose_name="mails"),
        ),
        migrations.AlterField(
            model_name="moneyentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("credit", "Credit by the operator"),
                    ("debit", "Correction by the operator"),
                    ("transfer", "Bank transfer received"),
                    ("online", "Online payment received"),
                    ("payment", "Payment of an order"),
                    ("usage", "Pay-as-you-go usage"),
                ],
                max_length=8,
                verbose_name="kind",
            ),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(
                condition=models.Q(("arrears_since__isnull", False)),
                fields=["arrears_since"],
                name="account_in_arrears",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("credit_limit__gte", 0)), name="credit_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="moneyentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gt", 0), ("kind__in", ["credit", "transfer", "online"])),
                    models.Q(("amount__lt", 0), ("kind__in", ["debit", "payment"])),
                    models.Q(("amount__lte", 0), ("kind", "usage")),
                    _connector="OR",
                ),
                name="money_entry_has_its_sign",
            ),
        ),
        migrations.AddConstraint(
            model_name="moneyentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["credit", "debit", "usage"]), ("order", None)),
                    models.Q(("kind__in", ["transfer", "online", "payment"]), ("order__isnull", False)),
                    _connector="OR",
                ),
                name="money_entry_of_an_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="moneyentry",
            constraint=models.UniqueConstraint(fields=("tenant", "hour"), name="usage_settled_once_an_hour"),
        ),
        migrations.AddConstraint(
            model_name="moneyentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("hour__isnull", False),
                        ("kind", "usage"),
                        ("month__isnull", False),
                        ("priced_from__isnull", False),
                        ("units__gt", 0),
                    ),
                    models.Q(
                        models.Q(("kind", "usage"), _negated=True),
                        ("hour", None),
                        ("month", None),
                        ("priced_from", None),
                        ("units", None),
                    ),
                    _connector="OR",
                ),
                name="money_entry_of_an_hour",
            ),
        ),
        migrations.AddField(
            model_name="hourusage",
            name="package",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.package",
                verbose_name="package",
            ),
        ),
        migrations.AddField(
            model_name="hourusage",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="iam.tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="pricetier",
            constraint=models.UniqueConstraint(
                fields=("currency", "valid_from", "from_units"), name="price_tier_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="pricetier",
            constraint=models.CheckConstraint(
                condition=models.Q(("from_units__gte", 0), ("price__gte", 0)), name="price_tier_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="hourusage",
            constraint=models.UniqueConstraint(
                fields=("tenant", "hour", "package"), name="usage_once_a_package"
            ),
        ),
        migrations.AddConstraint(
            model_name="hourusage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("package", None)), fields=("tenant", "hour"), name="usage_once_as_you_go"
            ),
        ),
        migrations.AddConstraint(
            model_name="hourusage",
            constraint=models.CheckConstraint(condition=models.Q(("units__gt", 0)), name="usage_has_units"),
        ),
        migrations.RunPython(guard, nothing),
    ]
