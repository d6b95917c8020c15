"""Who an alert was given to, when it is not its account's owner."""

import django.db.models.deletion
from django.db import migrations

import accounts.fence.models

# The key that FenceTables makes for the columns of a new table.
ASSIGNEE_KEY = """
ALTER TABLE alerts_alert ADD CONSTRAINT alerts_alert_assignee_id_fk
  FOREIGN KEY (tenant_id, assignee_id) REFERENCES accounts_membership (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
"""
ASSIGNEE_INDEX = "CREATE INDEX alerts_alert_assignee_id_ix ON alerts_alert (tenant_id, assignee_id)"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("alerts", "0002_rules_complete"),
    ]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="assignee",
            field=accounts.fence.models.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.membership",
                verbose_name="assigned to",
            ),
        ),
        migrations.RunSQL(ASSIGNEE_KEY, migrations.RunSQL.noop),
        migrations.RunSQL(ASSIGNEE_INDEX, migrations.RunSQL.noop),
    ]
