from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("email_service", "0028_exports"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="message", name="message_by_task"),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["task", "status", "-accepted_at", "-id"], name="message_by_task"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("status__in", ["failed", "rejected", "expired", "held", "cancelled"])),
                fields=["tenant", "status", "-accepted_at", "-id"],
                name="message_by_end",
            ),
        ),
    ]
