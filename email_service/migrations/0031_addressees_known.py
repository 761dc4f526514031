from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("email_service", "0030_addressees"),
    ]

    operations = [
        migrations.RunSQL(
            "INSERT INTO email_service_addressee (tenant_id, address_key) "
            "SELECT DISTINCT tenant_id, recipient_key FROM email_service_message WHERE true ON CONFLICT DO NOTHING",
            migrations.RunSQL.noop,
        ),
    ]
