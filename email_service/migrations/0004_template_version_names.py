from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("email_service", "0003_message_ends")]

    operations = [
        migrations.AlterModelOptions(
            name="templateversion",
            options={"verbose_name": "template version", "verbose_name_plural": "template review"},
        ),
    ]
