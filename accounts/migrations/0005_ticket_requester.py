"""Tickets say who asked, so that the survey after a ticket asks that person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_signed_links")]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="requester",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=254, verbose_name="requester"
            ),
        ),
    ]
