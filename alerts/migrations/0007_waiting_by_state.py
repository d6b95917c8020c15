from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0006_names_of_models"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="alert", name="alert_waiting"),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("state__in", ["open", "snoozed"])),
                fields=["tenant", "account", "state"],
                name="alert_waiting",
            ),
        ),
    ]
