import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.fence.models
from accounts.fence.operations import FenceTables


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_outbox_put_aside"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignedLink",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("purpose", models.CharField(max_length=40)),
                ("object_id", models.BigIntegerField()),
                ("token_hash", models.CharField(db_collation="C", max_length=64)),
                ("expires_at", models.DateTimeField(verbose_name="open until")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="taken back")),
                ("opened", models.PositiveIntegerField(default=0, verbose_name="times opened")),
                ("last_opened_at", models.DateTimeField(null=True, verbose_name="last opened")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="made"
                    ),
                ),
                (
                    "account",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="signed_links",
                        to="accounts.account",
                    ),
                ),
                (
                    "contact",
                    accounts.fence.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="signed_links",
                        to="accounts.contact",
                    ),
                ),
                (
                    "created_by",
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
                    "revoked_by",
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
                "verbose_name": "signed link",
                "verbose_name_plural": "signed links",
                "indexes": [models.Index(fields=["tenant", "purpose", "object_id"], name="signed_link_of")],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "token_hash"), name="signed_link_token")
                ],
            },
        ),
        FenceTables("accounts", ["SignedLink"]),
    ]
