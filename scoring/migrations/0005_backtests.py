"""Backtests, and the cases they are made of while they run."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.fence.models
from accounts.fence.operations import FenceRawTable, FenceTables
from scoring import tables


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("scoring", "0002_score_exceptions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Backtest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("refused", "Not possible"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("parameters", models.JSONField()),
                ("scales", models.JSONField(null=True)),
                ("definition_hash", models.CharField(max_length=64)),
                ("refusal", models.JSONField(null=True)),
                ("figures", models.JSONField(null=True)),
                ("job_id", models.BigIntegerField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created"
                    ),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "requested_by",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.membership",
                    ),
                ),
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
                (
                    "version",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="backtests",
                        to="scoring.version",
                        verbose_name="model version",
                    ),
                ),
            ],
            options={
                "verbose_name": "backtest",
                "verbose_name_plural": "backtests",
                "db_table": "scoring_backtest",
                "indexes": [models.Index(fields=["tenant", "version", "-id"], name="backtest_of_version")],
            },
        ),
        FenceTables("scoring", ["Backtest"]),
        migrations.RunSQL([tables.BACKTEST_CASE], tables.DROP_BACKTEST_CASE),
        FenceRawTable("scoring_backtest_case"),
    ]
