"""What the mails of a play say: each text is read and checked once, however many runs reach its step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Tenant
from outreach.fields import check_merge_fields
from outreach.models import Template
from outreach.texts import text_in
from playbooks.models import Step
from playbooks.stepconfig import EmailConfig, config_of


@dataclass(frozen=True)
class Text:
    """A mail's subject and body in one language, and the template they come from."""

    subject: str
    body: str
    language: str
    template: Template | None = None


class Texts:
    """The texts of these steps; the templates are read in one query."""

    def __init__(self, tenant: Tenant, steps: Sequence[Step]) -> None:
        configs: dict[int, EmailConfig] = {step.pk: config_of(step.kind, step.config) for step in steps}
        keys = {config.template for config in configs.values() if config.template}
        found = Template.objects.filter(tenant=tenant, key__in=keys) if keys else ()
        self.configs, self.templates = configs, {template.key: template for template in found}
        self.known: dict[tuple[int, str], Text] = {}

    def of(self, step: Step, language: str) -> Text:
        """What the step's mail says to a reader of this language.

        Raises a ValidationError when there is no text or it names a field that nobody knows.
        """
        if (step.pk, language) not in self.known:
            self.known[step.pk, language] = self._read(self.configs[step.pk], language)
        return self.known[step.pk, language]

    def _read(self, config: EmailConfig, language: str) -> Text:
        if config.template:
            template = self.templates.get(config.template)
            if template is None:
                raise ValidationError(_("The template “%(key)s” was taken away.") % {"key": config.template})
            text = Text(*text_in(template, language), template=template)
        else:
            text = Text(config.subject, config.body, language)
        if not text.subject.strip() or not text.body.strip():
            raise ValidationError(_("A mail needs a subject and a text."))
        check_merge_fields(text.subject, text.body)
        return text
