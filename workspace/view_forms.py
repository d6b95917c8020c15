"""The form of a saved view."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import SavedView


class ViewForm(forms.Form):
    """Under which name a list is kept, and who sees it."""

    name = forms.CharField(label=_("Name"), max_length=100)
    shared = forms.ChoiceField(label=_("Who sees it"), choices=SavedView.Shared.choices)
    folder = forms.CharField(
        label=_("Folder"), max_length=60, required=False, help_text=_("Views of one folder stand together.")
    )
    favourite = forms.BooleanField(label=_("Show it over my list"), required=False)
    default = forms.BooleanField(label=_("Open my list with it"), required=False)
    over = forms.CharField(required=False, widget=forms.HiddenInput)  # the view that is saved over

    def refuse(self, error: ValidationError) -> None:
        """Show what the service found wrong."""
        if hasattr(error, "error_dict"):
            for name, faults in error.error_dict.items():
                self.add_error(name, faults)
        else:
            self.add_error(None, error)
