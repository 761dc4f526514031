from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("email_service", "0014_draft_attempts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="transport",
            name="host",
            field=models.CharField(blank=True, max_length=255, verbose_name="host"),
        ),
        migrations.AlterField(
            model_name="transport",
            name="kind",
            field=models.CharField(
                choices=[("relay", "Relay"), ("direct", "Direct delivery")],
                default="relay",
                max_length=8,
                verbose_name="kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="transport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("host", ""), ("kind", "direct")),
                    models.Q(("kind", "relay"), models.Q(("host", ""), _negated=True)),
                    _connector="OR",
                ),
                name="a_relay_has_a_host",
            ),
        ),
    ]
