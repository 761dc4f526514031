from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("email_service", "0013_dkim_key_state_alone")]

    operations = [
        migrations.AddField("templatedraft", "attempts", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("templatedraft", "tried_at", models.DateTimeField(null=True)),
    ]
