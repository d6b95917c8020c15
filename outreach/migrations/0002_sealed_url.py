"""Links that open something without a login are stored sealed: only the mail that leaves shows them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outreach", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="message", name="sealed_url", field=models.TextField(blank=True, default="")
        ),
    ]
