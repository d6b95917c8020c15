"""Renewals, their history, checkpoints and plans, and the history of MRR."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.fence.models
from accounts.fence.operations import FenceTables


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_outbox_put_aside"),
        ("expansion", "0001_initial"),
        ("playbooks", "0003_onboarding"),
    ]

    operations = [
        migrations.CreateModel(
            name="Renewal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("line_id", models.BigIntegerField(default=0)),
                ("plan", models.CharField(blank=True, max_length=100, verbose_name="plan")),
                ("due_on", models.DateField(verbose_name="due")),
                ("term_months", models.PositiveSmallIntegerField(verbose_name="term, months")),
                ("term_by_hand", models.BooleanField(default=False)),
                ("currency", models.CharField(blank=True, max_length=3, verbose_name="currency")),
                ("mrr_cents", models.BigIntegerField(verbose_name="MRR in cents")),
                ("target_cents", models.BigIntegerField(verbose_name="target in cents")),
                ("said_cents", models.BigIntegerField(null=True)),
                ("forecast_cents", models.BigIntegerField(verbose_name="forecast in cents")),
                ("final_cents", models.BigIntegerField(null=True, verbose_name="final amount in cents")),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("commit", "Commit"),
                            ("best_case", "Best case"),
                            ("at_risk", "At risk"),
                            ("lost", "Given up"),
                        ],
                        max_length=10,
                        verbose_name="category",
                    ),
                ),
                (
                    "computed_category",
                    models.CharField(
                        choices=[
                            ("commit", "Commit"),
                            ("best_case", "Best case"),
                            ("at_risk", "At risk"),
                            ("lost", "Given up"),
                        ],
                        max_length=10,
                    ),
                ),
                ("category_by_hand", models.BooleanField(default=False)),
                ("at_risk", models.BooleanField(default=False)),
                (
                    "risks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10), default=list, size=None
                    ),
                ),
                ("has_plan", models.BooleanField(default=False)),
                ("ends_on", models.DateField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("renewed", "Renewed"),
                            ("lost", "Lost"),
                            ("void", "No longer applies"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("flat", "Same amount"), ("more", "With more"), ("less", "With less")],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("no_value", "Saw no value"),
                            ("price", "Price"),
                            ("budget", "Budget was cut"),
                            ("competitor", "Went to a competitor"),
                            ("missing_feature", "Something is missing in the product"),
                            ("champion_left", "The champion left"),
                            ("service", "Service or quality"),
                            ("closed", "The company closed or was bought"),
                            ("fewer_seats", "Needs fewer seats"),
                            ("other", "Something else"),
                        ],
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                ("reason_note", models.TextField(blank=True, verbose_name="in your words")),
                ("opened_on", models.DateField()),
                ("closed_on", models.DateField(null=True, verbose_name="closed")),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "account",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="renewals",
                        to="accounts.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "closed_by",
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
            ],
            options={
                "verbose_name": "renewal",
                "verbose_name_plural": "renewals",
            },
        ),
        migrations.CreateModel(
            name="RenewalChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("date", "Date moved"),
                            ("target", "Target changed"),
                            ("forecast", "Forecast"),
                            ("category", "Category"),
                            ("risk", "Became at risk"),
                            ("safe", "No longer at risk"),
                            ("plan", "Action plan"),
                            ("checkpoint", "Checkpoint"),
                            ("call", "Call noted"),
                            ("closed", "Closed"),
                            ("reason", "Reason given"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("data", models.JSONField(default=dict)),
                ("note", models.TextField(blank=True)),
                (
                    "by",
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
                    "renewal",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="expansion.renewal",
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
            name="RenewalCheckpoint",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("months", models.PositiveSmallIntegerField(verbose_name="months before")),
                ("on", models.DateField(verbose_name="day")),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("call", "CSM call"),
                            ("play", "Automated"),
                            ("missed", "Had passed already"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "computed_category",
                    models.CharField(
                        choices=[
                            ("commit", "Commit"),
                            ("best_case", "Best case"),
                            ("at_risk", "At risk"),
                            ("lost", "Given up"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "called_category",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("commit", "Commit"),
                            ("best_case", "Best case"),
                            ("at_risk", "At risk"),
                            ("lost", "Given up"),
                        ],
                        max_length=10,
                    ),
                ),
                ("called_on", models.DateField(null=True)),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "called_by",
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
                    "renewal",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="checkpoints",
                        to="expansion.renewal",
                    ),
                ),
                (
                    "run",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="playbooks.run",
                    ),
                ),
                (
                    "task",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="playbooks.task",
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
            options={
                "verbose_name": "checkpoint",
                "verbose_name_plural": "checkpoints",
            },
        ),
        migrations.CreateModel(
            name="RenewalSettings",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "usual_term_months",
                    models.PositiveSmallIntegerField(
                        default=12,
                        help_text="For subscriptions of which no term can be seen.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(60),
                        ],
                        verbose_name="usual term, months",
                    ),
                ),
                (
                    "shortest_term_months",
                    models.PositiveSmallIntegerField(
                        default=3,
                        help_text="Subscriptions that renew each month are no renewals that anybody prepares.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(60),
                        ],
                        verbose_name="shortest term that is followed, months",
                    ),
                ),
                (
                    "commit_pct",
                    models.PositiveSmallIntegerField(
                        default=95,
                        validators=[django.core.validators.MaxValueValidator(100)],
                        verbose_name="probability of “commit”, %",
                    ),
                ),
                (
                    "best_case_pct",
                    models.PositiveSmallIntegerField(
                        default=70,
                        validators=[django.core.validators.MaxValueValidator(100)],
                        verbose_name="probability of “best case”, %",
                    ),
                ),
                (
                    "at_risk_pct",
                    models.PositiveSmallIntegerField(
                        default=30,
                        validators=[django.core.validators.MaxValueValidator(100)],
                        verbose_name="probability of “at risk”, %",
                    ),
                ),
                (
                    "rates",
                    models.JSONField(
                        blank=True, default=dict, verbose_name="rates to the company's currency"
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
            options={
                "verbose_name": "renewal settings",
                "verbose_name_plural": "renewal settings",
            },
        ),
        migrations.CreateModel(
            name="RenewalStep",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "renewal",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="expansion.renewal",
                    ),
                ),
                (
                    "task",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="playbooks.task",
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
            name="MrrChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("line_id", models.BigIntegerField(default=0)),
                ("on", models.DateField()),
                ("mrr_cents", models.BigIntegerField()),
                ("currency", models.CharField(blank=True, max_length=3)),
                (
                    "account",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mrr_changes",
                        to="accounts.account",
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
            options={
                "verbose_name": "change of MRR",
                "verbose_name_plural": "changes of MRR",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "account", "line_id", "on"), name="mrr_change_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="renewal",
            index=models.Index(fields=["tenant", "due_on", "id"], name="renewal_by_due"),
        ),
        migrations.AddIndex(
            model_name="renewal",
            index=models.Index(fields=["tenant", "account", "due_on"], name="renewal_by_account"),
        ),
        migrations.AddConstraint(
            model_name="renewal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")),
                fields=("tenant", "account", "line_id"),
                name="renewal_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="renewal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("forecast_cents__gte", 0), ("forecast_cents__lte", models.F("target_cents"))
                ),
                name="renewal_forecast_capped",
            ),
        ),
        migrations.AddIndex(
            model_name="renewalchange",
            index=models.Index(fields=["tenant", "renewal", "id"], name="renewal_change_by_one"),
        ),
        migrations.AddConstraint(
            model_name="renewalcheckpoint",
            constraint=models.UniqueConstraint(
                fields=("tenant", "renewal", "months"), name="renewal_checkpoint_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="renewalsettings",
            constraint=models.UniqueConstraint(fields=("tenant",), name="one_renewal_settings_row"),
        ),
        migrations.AddConstraint(
            model_name="renewalstep",
            constraint=models.UniqueConstraint(
                fields=("tenant", "renewal", "task"), name="renewal_step_once"
            ),
        ),
        FenceTables(
            "expansion",
            [
                "RenewalSettings",
                "Renewal",
                "RenewalChange",
                "RenewalCheckpoint",
                "RenewalStep",
                "MrrChange",
            ],
        ),
    ]
