"""Add the reports up that were there before their totals."""

from django.db import migrations

FILL = """
    INSERT INTO email_service_hourtotal (tenant_id, hour, succeeded, failed, pending, rejected)
    SELECT tenant_id, hour, SUM(succeeded), SUM(failed), SUM(pending), SUM(rejected)
    FROM email_service_report GROUP BY tenant_id, hour
"""


class Migration(migrations.Migration):
    dependencies = [("email_service", "0024_hour_totals")]

    operations = [migrations.RunSQL(FILL, "DELETE FROM email_service_hourtotal")]
