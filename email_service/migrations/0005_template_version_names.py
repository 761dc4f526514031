from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("email_service", "0004_domain_status_words")]

    operations = [
        migrations.AlterModelOptions(
            name="templateversion",
            options={"verbose_name": "template version", "verbose_name_plural": "template review"},
        ),
    ]
