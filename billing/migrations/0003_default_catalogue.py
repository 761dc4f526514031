from decimal import Decimal
from typing import Any

from django.db import migrations

# Name, name in English, mails, price: each larger package makes the single mail cheaper.
CATALOGUE = (
    ("Email套餐包 1万封", "Email package 10,000", 10_000, "60.00"),
    ("Email套餐包 5万封", "Email package 50,000", 50_000, "260.00"),
    ("Email套餐包 10万封", "Email package 100,000", 100_000, "480.00"),
    ("Email套餐包 50万封", "Email package 500,000", 500_000, "2150.00"),
    ("Email套餐包 100万封", "Email package 1,000,000", 1_000_000, "3900.00"),
    ("Email套餐包 500万封", "Email package 5,000,000", 5_000_000, "17500.00"),
)


def fill(apps: Any, schema_editor: Any) -> None:
    """Offer a catalogue where the operator has made none; it is changed in the admin."""
    spec = apps.get_model("billing", "PackageSpec")
    if spec.objects.exists():
        return
    for position, (name, name_en, units, price) in enumerate(CATALOGUE, 1):
        spec.objects.create(
            name=name,
            name_en=name_en,
            units=units,
            price=Decimal(price),
            valid_days=365,
            position=position * 10,
        )


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_append_only_ledgers")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
