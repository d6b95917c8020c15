from django.db import migrations, models

from scoring import tables


class Migration(migrations.Migration):
    dependencies = [
        ("scoring", "0007_names_of_models"),
    ]

    operations = [
        migrations.RunSQL(
            tables.ADD_SINCE,
            tables.DROP_SINCE,
            state_operations=[
                migrations.AddField("currentscore", f"score_{days}", models.FloatField(null=True))
                for days in tables.SINCE
            ],
        ),
    ]
