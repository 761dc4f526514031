from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("email_service", "0010_domain_losses_and_claims")]

    operations = [
        migrations.AddField(
            model_name="dkimkey",
            name="state",
            field=models.CharField(
                choices=[
                    ("signing", "Signs new mail"),
                    ("next", "Waits for its record"),
                    ("retiring", "Kept for mail under way"),
                ],
                default="signing",
                max_length=8,
            ),
        ),
        migrations.AddField(model_name="dkimkey", name="keep_until", field=models.DateTimeField(null=True)),
    ]
