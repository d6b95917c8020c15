"""Privacy requests, exports and the deletion of a company, and the log of the operator."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.fence.models
from accounts.fence.operations import FenceTables


def tenant() -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False,
        editable=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to="accounts.tenant",
    )


def member(null: bool = True) -> accounts.fence.models.TenantForeignKey:
    return accounts.fence.models.TenantForeignKey(
        db_constraint=False,
        db_index=False,
        null=null,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to="accounts.membership",
    )


def now(*words: str) -> models.DateTimeField:
    return models.DateTimeField(*words, db_default=django.db.models.functions.datetime.Now())


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_account360_notes_files_merges")]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="support_until",
            field=models.DateTimeField(blank=True, null=True, verbose_name="support until"),
        ),
        migrations.CreateModel(
            name="OperatorEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", now("at")),
                ("actor_label", models.CharField(max_length=254, verbose_name="who")),
                ("action", models.CharField(max_length=100, verbose_name="what was done")),
                ("company", models.CharField(max_length=50, verbose_name="company")),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="why")),
                ("details", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name": "operator's entry",
                "verbose_name_plural": "operator's log",
                "indexes": [models.Index(fields=["-at", "-id"], name="operator_log_by_time")],
            },
        ),
        migrations.CreateModel(
            name="CompanyExport",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("asked_at", now("asked")),
                ("done_at", models.DateTimeField(null=True, verbose_name="done")),
                ("expires_at", models.DateTimeField(null=True, verbose_name="ends")),
                ("rows", models.JSONField(default=dict)),
                ("size", models.BigIntegerField(default=0, verbose_name="size")),
                ("asked_by", member()),
                ("tenant", tenant()),
            ],
            options={
                "verbose_name": "export of the company",
                "verbose_name_plural": "exports of the company",
            },
        ),
        migrations.CreateModel(
            name="ExportPart",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("position", models.IntegerField()),
                ("data", models.BinaryField()),
                (
                    "export",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="accounts.companyexport",
                    ),
                ),
                ("tenant", tenant()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "export", "name", "position"), name="export_part_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PrivacyRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("export", "Data given out"), ("erase", "Erased")],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                ("at", now("at")),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="why")),
                ("subject_hash", models.CharField(db_collation="C", max_length=64)),
                ("contact_number", models.BigIntegerField(verbose_name="contact")),
                ("done_at", models.DateTimeField(null=True, verbose_name="done")),
                ("counts", models.JSONField(default=dict)),
                ("actor", member()),
                ("tenant", tenant()),
            ],
            options={
                "verbose_name": "privacy request",
                "verbose_name_plural": "privacy requests",
                "indexes": [models.Index(fields=["tenant", "-at", "-id"], name="privacy_by_time")],
            },
        ),
        migrations.CreateModel(
            name="DeletionAsk",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("asked_at", now()),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("cancelled_at", models.DateTimeField(null=True)),
                ("asked_by", member(null=False)),
                ("confirmed_by", member()),
                ("tenant", tenant()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("cancelled_at", None)),
                        fields=("tenant",),
                        name="deletion_asked_once",
                    )
                ],
            },
        ),
        migrations.RunSQL(
            "REVOKE UPDATE, DELETE ON accounts_operatorentry FROM cs_web, cs_worker", migrations.RunSQL.noop
        ),
        FenceTables("accounts", ["CompanyExport", "ExportPart", "PrivacyRequest", "DeletionAsk"]),
    ]
