from django.db import migrations

from accounts.fence.operations import FenceRawTable
from usage.recent import CREATE, TABLE


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0002_sql_metrics"),
        ("accounts", "0005_ticket_requester"),
    ]

    operations = [
        migrations.RunSQL(CREATE, f"DROP TABLE IF EXISTS {TABLE}"),
        FenceRawTable(TABLE),
    ]
