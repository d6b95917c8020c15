"""Metrics defined by SQL, and the views that an admin's SQL may read."""

from django.db import migrations, models

from usage.sql.views import DROP_SQL, MAKE_SQL


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0001_initial"),
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="metric",
            name="query",
            field=models.TextField(
                blank=True,
                help_text="One SELECT with two columns: account_id and a number, one row for each account. Run every night for the day that is scored; current_date and now() mean that day and its end. Accounts that it does not name have no value.",
                verbose_name="SQL query",
            ),
        ),
        migrations.AddField(
            model_name="metric",
            name="query_error",
            field=models.TextField(blank=True, editable=False, verbose_name="why the query failed"),
        ),
        migrations.AddField(
            model_name="metric",
            name="query_ran_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="query last run"),
        ),
        migrations.AddField(
            model_name="metric",
            name="query_seconds",
            field=models.FloatField(editable=False, null=True, verbose_name="seconds of the query"),
        ),
        migrations.AlterField(
            model_name="metric",
            name="kind",
            field=models.CharField(
                choices=[
                    ("all_events", "All events"),
                    ("count", "Number of events"),
                    ("sum", "Sum of a property"),
                    ("last", "Last value of a property"),
                    ("max", "Largest value of a property"),
                    ("distinct_users", "Distinct users"),
                    ("active_days", "Active days"),
                    ("features_used", "Distinct features used"),
                    ("ratio", "Ratio of two metrics"),
                    ("pushed", "Pushed value"),
                    ("state", "State of the account"),
                    ("sql", "SQL query"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.RunSQL(MAKE_SQL, DROP_SQL),
    ]
