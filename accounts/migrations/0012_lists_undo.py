"""What lists keep since: what an import changed, what a bulk start of a play came to, what a member looked for."""

import django.db.models.deletion
from django.db import migrations, models

import accounts.fence.models
from accounts.fence.operations import FenceTables


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_lists"),
    ]

    operations = [
        migrations.AddField("accountdeed", "play", models.JSONField(default=dict)),
        migrations.AddField("fileimport", "undone_at", models.DateTimeField(null=True)),
        migrations.AddField("fileimport", "taken_back", models.JSONField(default=dict)),
        migrations.AddField(
            "fileimport",
            "undone_by",
            accounts.fence.models.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.membership",
            ),
        ),
        migrations.AlterField(
            "fileimport",
            "state",
            models.CharField(
                choices=[
                    ("mapping", "Columns are being chosen"),
                    ("checking", "Being tried"),
                    ("checked", "Tried, nothing stored"),
                    ("storing", "Being stored"),
                    ("done", "Stored"),
                    ("refused", "Refused"),
                    ("undoing", "Being taken back"),
                    ("undone", "Taken back"),
                ],
                default="mapping",
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="ImportChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("ordinal", models.IntegerField()),
                ("data", models.BinaryField()),
                ("left", models.JSONField(default=list)),
                (
                    "source",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="accounts.fileimport",
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
            ],
        ),
        migrations.CreateModel(
            name="RecentSearch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("text", models.CharField(max_length=100)),
                ("at", models.DateTimeField()),
                (
                    "member",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
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
            ],
        ),
        migrations.AddConstraint(
            model_name="importchange",
            constraint=models.UniqueConstraint(
                fields=("tenant", "source", "ordinal"), name="import_change_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="recentsearch",
            constraint=models.UniqueConstraint(
                fields=("tenant", "member", "text"), name="recent_search_once"
            ),
        ),
        FenceTables("accounts", ["ImportChange", "RecentSearch"]),
    ]
