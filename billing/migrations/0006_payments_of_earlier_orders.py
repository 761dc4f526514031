from typing import Any

from django.db import migrations


def fill(apps: Any, schema_editor: Any) -> None:
    """Give each order that was paid, or waits for its transfer, the payment it would have now."""
    payments = apps.get_model("billing", "Payment").objects
    orders = apps.get_model("billing", "Order").objects.filter(status__in=("paid", "transfer"), payments=None)
    for order in orders.order_by("pk").iterator():
        at = order.paid_at or order.created_at
        payments.create(
            tenant_id=order.tenant_id,
            order=order,
            method=order.method,
            status="succeeded" if order.paid_at else "waiting",
            amount=order.price * order.quantity,
            currency=order.currency,
            reference=f"PAY-{order.number}",
            login=order.ordered_by,
            created_at=at,
            asked_at=at,
            finished_at=order.paid_at,
        )


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_payments")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
