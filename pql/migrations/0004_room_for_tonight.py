"""Room in the pages of people's scores: every night rewrites every row, and a row that stays in its page costs no index."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("pql", "0003_people_peers"),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE pql_contactscore SET (fillfactor = 50)",
            "ALTER TABLE pql_contactscore RESET (fillfactor)",
        ),
    ]
