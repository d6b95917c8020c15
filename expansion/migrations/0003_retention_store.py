"""The usual report of retention as the night computed it."""

import django.db.models.deletion
from django.db import migrations, models

from accounts.fence.operations import FenceTables


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_ticket_requester"),
        ("expansion", "0002_renewals"),
    ]

    operations = [
        migrations.CreateModel(
            name="RetentionStore",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("first", models.DateField()),
                ("last", models.DateField()),
                ("basis", models.JSONField()),
                ("groups", models.JSONField()),
                ("made_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("tenant",), name="one_retention_store")],
            },
        ),
        FenceTables("expansion", ["RetentionStore"]),
    ]
