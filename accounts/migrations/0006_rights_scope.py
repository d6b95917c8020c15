"""Whose accounts a member sees, teams, who sees no money, and what the operator may say of a tenant."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import accounts.fence.models
from accounts.fence.operations import FenceTables


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_ticket_requester")]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="scope",
            field=models.CharField(
                choices=[
                    ("own", "The own accounts"),
                    ("team", "Accounts of the own teams and those nobody owns"),
                    ("all", "All accounts"),
                ],
                db_default="all",
                default="all",
                max_length=4,
                verbose_name="sees",
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="hidden_money_roles",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=10),
                blank=True,
                default=list,
                size=None,
                verbose_name="roles that see no money",
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="suspended_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="suspended"),
        ),
        migrations.AddField(
            model_name="tenant",
            name="deletes_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="will be deleted"),
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100, verbose_name="name")),
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
                "verbose_name": "team",
                "verbose_name_plural": "teams",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "name"), name="team_name_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TeamMember",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "member",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="teams",
                        to="accounts.membership",
                        verbose_name="member",
                    ),
                ),
                (
                    "team",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="accounts.team",
                        verbose_name="team",
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
                "verbose_name": "member of a team",
                "verbose_name_plural": "members of teams",
                "indexes": [
                    models.Index(fields=["tenant", "member", "team"], name="team_member_by_member"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "team", "member"), name="in_team_once"),
                ],
            },
        ),
        FenceTables("accounts", ["Team", "TeamMember"]),
    ]
