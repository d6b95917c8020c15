from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_names_of_models"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="timelineentry",
            index=models.Index(
                condition=models.Q(("actor__isnull", False)),
                fields=["tenant", "account", "-at"],
                name="timeline_touch",
            ),
        ),
    ]
