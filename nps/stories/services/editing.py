"""Beginning a case study, with what is known of the account, and editing its text."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.languages import LANGUAGES, account_language
from accounts.models import Account, Contact, Membership, Tenant
from nps.references.models import Reference
from nps.references.rights import demand_account
from nps.stories import timeline
from nps.stories.models import Story
from nps.stories.prefill import Prefilled, prefill
from nps.stories.reading import hash_of
from usage.services import push_metric_values

from .keeping import demand_editable, journal, keep_text, locked_story
from .results import record_results

State = Story.State
TEXTS = (
    "title",
    "standfirst",
    "customer",
    "industry",
    "challenge",
    "solution",
    "results_intro",
    "quote",
    "person",
    "role",
)
PROPOSED = "case_study_proposed"
SLUG_LENGTH = 70


def create_story(
    *, tenant: Tenant, account_id: int, language: str = "", member: Membership | None = None
) -> Story:
    """Begin a case study with what is known: words from the account, results as recorded figures."""
    account = Account.objects.select_for_update().get(tenant=tenant, pk=account_id)
    demand_account(member, account)
    if account.churned_on is not None and account.churned_on <= tenant.today():
        raise ValidationError(_("This customer has left."))
    spoken = language if language in LANGUAGES else account_language(tenant, account)
    reference = Reference.objects.select_related("contact").filter(tenant=tenant, account=account).first()
    words: Prefilled = prefill(tenant=tenant, account=account, reference=reference, language=spoken)
    story = Story.objects.create(
        tenant=tenant,
        account=account,
        reference=reference,
        slug=_free_slug(tenant, account.name),
        language=spoken,
        created_by=member,
        customer=account.name[:120],
        industry=(reference.industry if reference and reference.industry else account.segment)[:100],
        **words.fields(),
    )
    record_results(tenant=tenant, story=story)
    story.hash = hash_of(story)
    story.save()
    journal(tenant, story, timeline.STARTED, member, {"language": spoken})
    note_proposed(tenant, account)
    return story


def note_proposed(tenant: Tenant, account: Account) -> None:
    """The metric that checklists read: a case study was proposed on this day."""
    item = {"account_id": account.external_id, "metric": PROPOSED, "day": tenant.today(), "value": 1}
    push_metric_values(tenant=tenant, items=[item], source="case studies")


def edit_story(
    *,
    tenant: Tenant,
    story_id: int,
    fields: Mapping[str, str],
    revision: int | None = None,
    slug: str = "",
    language: str = "",
    member: Membership | None = None,
) -> Story:
    """Change the text; any difference voids both approvals. `revision` is the one that the editor had before it."""
    story = locked_story(tenant, story_id, member)
    demand_editable(story)
    if revision is not None and revision != story.revision:
        raise ValidationError(
            _(
                "Somebody changed this text while you were writing. Reload the page and enter your changes again."
            ),
            code="stale",
        )
    for name in TEXTS:
        if name in fields:
            setattr(story, name, fields[name].replace("\r\n", "\n").strip())
    if language in LANGUAGES:
        story.language = language
    if slug and slug != story.slug:
        story.slug = slug
    kept = {field.name for field in Story._meta.fields} - {*TEXTS, "slug", "language"}
    story.clean_fields(exclude=kept)
    story.validate_constraints(exclude=kept - {"tenant"})
    keep_text(tenant, story, member, "text")
    return story


def reopen_story(*, tenant: Tenant, story_id: int, member: Membership | None = None) -> Story:
    """Make a draft of a withdrawn story; whoever approved it before is asked again."""
    story = locked_story(tenant, story_id, member)
    if story.state != State.WITHDRAWN:
        return story
    story.state = State.DRAFT
    story.revision += 1
    story.save()
    journal(tenant, story, timeline.STARTED, member, {"again": True})
    return story


def choose_communications(
    *, tenant: Tenant, story_id: int, contact_id: int | None, member: Membership | None = None
) -> Story:
    """Say who is asked as soon as legal has approved; nobody: somebody of ours does it by hand."""
    story = locked_story(tenant, story_id, member)
    contact = None
    if contact_id is not None:
        contact = Contact.objects.filter(tenant=tenant, pk=contact_id, account_id=story.account_id).first()
        if contact is None or not contact.email:
            raise ValidationError({"then": _("Choose a person of this account with an e-mail address.")})
    story.communications = contact
    story.save()
    return story


def _free_slug(tenant: Tenant, name: str) -> str:
    """An address that no other story of the tenant has."""
    base = slugify(name)[:SLUG_LENGTH].strip("-") or "story"
    taken = set(Story.objects.filter(tenant=tenant, slug__startswith=base).values_list("slug", flat=True))
    if base not in taken:
        return base
    newest = Story.objects.filter(tenant=tenant).aggregate(most=Max("pk"))["most"]
    return f"{base}-{newest + 1}"
