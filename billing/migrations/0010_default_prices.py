from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import migrations

# Beyond so many mails a month, the price of one: a little above the packages', so that these are worth buying.
TIERS = ((0, "0.0080"), (100_000, "0.0072"), (500_000, "0.0064"), (1_000_000, "0.0056"))
SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def fill(apps: Any, schema_editor: Any) -> None:
    """Price pay-as-you-go where the operator has not; new prices are added in the admin."""
    tier = apps.get_model("billing", "PriceTier")
    if tier.objects.exists():
        return
    for from_units, price in TIERS:
        tier.objects.create(valid_from=SINCE, from_units=from_units, price=Decimal(price))


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_pay_as_you_go")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
