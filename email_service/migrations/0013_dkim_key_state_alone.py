from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("email_service", "0012_dkim_keys_that_sign_no_more")]

    operations = [
        migrations.RemoveConstraint(model_name="dkimkey", name="one_signing_key_a_domain"),
        migrations.RemoveField(model_name="dkimkey", name="is_active"),
        migrations.AddConstraint(
            model_name="dkimkey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "signing")), fields=("domain",), name="one_signing_key_a_domain"
            ),
        ),
        migrations.AddConstraint(
            model_name="dkimkey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "next")), fields=("domain",), name="one_next_key_a_domain"
            ),
        ),
    ]
