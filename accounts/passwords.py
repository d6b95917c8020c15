"""What a password must be, said as this product speaks to people; Django's Spanish is more formal than ours."""

from __future__ import annotations

from django.contrib.auth import password_validation as django
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class UnlikeThePerson(django.UserAttributeSimilarityValidator):
    """Nothing that resembles the name or the address."""

    def get_help_text(self) -> str:
        """What to do."""
        return _("Nothing that looks like your name or your address.")


class LongEnough(django.MinimumLengthValidator):
    """Length counts more than signs."""

    def get_help_text(self) -> str:
        """What to do."""
        return ngettext("At least %(n)d character.", "At least %(n)d characters.", self.min_length) % {
            "n": self.min_length
        }


class Uncommon(django.CommonPasswordValidator):
    """None of those that are tried first."""

    def get_help_text(self) -> str:
        """What to do."""
        return _("None of the passwords that many people use.")
