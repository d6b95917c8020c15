"""Asking a customer to speak for the tenant, and what came of it; never twice within the limits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.models import Account, Contact, Membership, Tenant
from accounts.services import record_audit, record_timeline
from nps.references import timeline
from nps.references.limits import Ask, AskLimits, may_ask_on
from nps.references.models import Incentive, Reference, ReferenceAsk, ReferenceSettings, ReferenceType
from nps.references.rights import demand_account
from outreach.models import Message
from outreach.services import publish_event, send_email
from playbooks.models import Task
from playbooks.services import complete_task, create_task

from .searching import search_text
from .settings import reference_settings

State = Reference.State
FOLLOW_UP_DAYS = 7
NOTE_LENGTH = 2000


def propose_reference(*, tenant: Tenant, account_id: int, member: Membership | None = None) -> Reference:
    """Make an account a candidate by hand; one that stands somewhere already stays there."""
    account = Account.objects.select_for_update().get(tenant=tenant, pk=account_id)
    demand_account(member, account)
    reference, made = Reference.objects.get_or_create(
        tenant=tenant,
        account=account,
        defaults={
            "by_hand": True,
            "found_on": tenant.today(),
            "industry": account.segment,
            "search": search_text(account, account.segment),
        },
    )
    if not made and reference.state in (State.LAPSED, State.DECLINED):
        if reference.never_ask:
            raise ValidationError(_("This customer said never to ask again."))
        reference.state, reference.by_hand, reference.found_on = State.CANDIDATE, True, tenant.today()
        reference.save()
    return reference


def first_ask_day(
    tenant: Tenant, reference: Reference, contact_id: int, settings: ReferenceSettings
) -> date | None:
    """The first day on which this person may be asked for this account; None: at any time."""
    asks = ReferenceAsk.objects.filter(tenant=tenant).filter(
        Q(account_id=reference.account_id) | Q(contact_id=contact_id)
    )
    found = [
        Ask(
            on=ask.asked_on,
            same_account=ask.account_id == reference.account_id,
            same_contact=ask.contact_id == contact_id,
            declined=ask.answer == ReferenceAsk.Answer.DECLINED,
        )
        for ask in asks
    ]
    limits = AskLimits(settings.account_days, settings.contact_days, settings.declined_days)
    free = may_ask_on(found, limits)
    days = [day for day in (free, reference.ask_again_on) if day is not None]
    return max(days, default=None)


def ask_for_reference(
    *,
    tenant: Tenant,
    reference_id: int,
    contact_id: int,
    incentive: str = Incentive.NONE,
    incentive_cents: int = 0,
    subject: str = "",
    body: str = "",
    by_mail: bool = True,
    member: Membership | None = None,
) -> ReferenceAsk:
    """Ask a person, by mail or (noted afterwards) in person; refused within the limits of account and person.

    A task reminds the owner after a week. Mail that would not go (unsubscribed, no address) is refused, not counted.
    """
    with transaction.atomic():
        contact = Contact.objects.select_for_update().get(tenant=tenant, pk=contact_id)
        reference = _locked(tenant, reference_id, member)
        settings = reference_settings(tenant)
        _demand_askable(tenant, reference, contact, settings)
        cents = _incentive(incentive, incentive_cents, settings)
        today = tenant.today()
        ask = ReferenceAsk.objects.create(
            tenant=tenant,
            reference=reference,
            account=reference.account,
            contact=contact,
            asked_on=today,
            asked_by=member,
            by_mail=by_mail,
            incentive=incentive,
            incentive_cents=cents,
            currency=tenant.currency if cents else "",
        )
        if by_mail:
            ask.message = _mail(tenant, ask, subject, body, member)
        ask.task = create_task(
            tenant=tenant,
            account_id=reference.account_id,
            title=_("Note the answer about being a reference: %(name)s") % {"name": contact},
            due_on=today + timedelta(days=FOLLOW_UP_DAYS),
        )
        ask.save()
        reference.state, reference.contact = State.ASKED, contact
        reference.save()
        _journal(
            tenant, reference, timeline.ASKED, member, str(contact), {"ask": ask.pk, "incentive": incentive}
        )
    return ask


def _demand_askable(
    tenant: Tenant, reference: Reference, contact: Contact, settings: ReferenceSettings
) -> None:
    if contact.account_id != reference.account_id:
        raise ValidationError({"contact": _("Choose a person of this account.")})
    if reference.never_ask:
        raise ValidationError(_("This customer said never to ask again."))
    if reference.account.churned_on is not None and reference.account.churned_on <= tenant.today():
        raise ValidationError(_("This customer has left."))
    if reference.state not in Reference.ASKABLE:
        raise ValidationError(
            _("This account is not to be asked: it stands at “%(state)s”.")
            % {"state": reference.get_state_display()}
        )
    free = first_ask_day(tenant, reference, contact.pk, settings)
    if free is not None and free > tenant.today():
        raise ValidationError(
            _("Asked a short time ago; the account or the person may be asked again on %(day)s.")
            % {"day": formats.date_format(free)},
            code="too_soon",
        )


def _incentive(incentive: str, cents: int, settings: ReferenceSettings) -> int:
    if incentive not in Incentive.values:
        raise ValidationError({"incentive": _("Choose an incentive of the list.")})
    if incentive != Incentive.DONATION:
        return 0
    if not 0 < cents <= settings.donation_max_cents:
        raise ValidationError(
            {
                "incentive_cents": _("A donation is between 1 and %(most)s.")
                % {"most": formats.localize(settings.donation_max_cents // 100)}
            }
        )
    return cents


def _mail(tenant: Tenant, ask: ReferenceAsk, subject: str, body: str, member: Membership | None) -> Message:
    message = send_email(
        tenant=tenant,
        account=ask.account,
        contact=ask.contact,
        subject=subject,
        body_md=body,
        dedupe_key=f"reference-ask:{ask.pk}",
        purpose="engagement",
        sender=member,
    )
    if message.state == Message.State.SUPPRESSED:
        raise ValidationError(
            _("The mail would not go to %(name)s: %(why)s. Choose another person, or ask in person.")
            % {"name": ask.contact, "why": message.get_reason_display()}
        )
    return message


def note_answer(
    *,
    tenant: Tenant,
    ask_id: int,
    answer: str,
    note: str = "",
    types: Collection[str] = (),
    never: bool = False,
    member: Membership | None = None,
) -> ReferenceAsk:
    """What came of an ask: agreed (to what), declined (perhaps for ever), or no answer."""
    asked = ReferenceAsk.objects.get(tenant=tenant, pk=ask_id)
    reference = _locked(tenant, asked.reference_id, member)
    ask = ReferenceAsk.objects.select_for_update().get(tenant=tenant, pk=ask_id)
    Answer = ReferenceAsk.Answer
    if answer not in (Answer.AGREED, Answer.DECLINED, Answer.NO_ANSWER):
        raise ValidationError({"answer": _("Choose what came of it.")})
    if ask.answer != Answer.WAITING:
        if ask.answer == answer:
            return ask
        raise ValidationError(_("This answer was noted already."))
    wanted = [kind for kind in ReferenceType.values if kind in set(types)]
    if answer == Answer.AGREED and not wanted:
        raise ValidationError({"types": _("Say what they agreed to.")})
    today = tenant.today()
    ask.answer, ask.answered_on, ask.noted_by = answer, today, member
    ask.answer_note = note.strip()[:NOTE_LENGTH]
    ask.save()
    settings = reference_settings(tenant)
    reference.never_ask = never and answer == Answer.DECLINED
    if answer == Answer.AGREED:
        reference.state, reference.types, reference.agreed_on = State.AGREED, wanted, today
        reference.ask_again_on = None
    else:
        days = settings.declined_days if answer == Answer.DECLINED else settings.account_days
        reference.state = State.DECLINED if answer == Answer.DECLINED else State.LAPSED
        reference.ask_again_on = ask.asked_on + timedelta(days=days)
    reference.save()
    kinds = {
        Answer.AGREED: timeline.AGREED,
        Answer.DECLINED: timeline.DECLINED,
        Answer.NO_ANSWER: timeline.UNANSWERED,
    }
    _journal(
        tenant,
        reference,
        kinds[Answer(answer)],
        member,
        str(ask.contact),
        {"ask": ask.pk, "types": wanted, "text": ask.answer_note},
    )
    if ask.task_id and Task.objects.filter(tenant=tenant, pk=ask.task_id, state=Task.State.OPEN).exists():
        complete_task(tenant=tenant, task_id=ask.task_id, note=ask.answer_note)
    if answer == Answer.AGREED:
        publish_event(
            tenant=tenant,
            event_type="reference.agreed",
            data={"account_id": reference.account.external_id, "types": wanted, "on": today.isoformat()},
            account=reference.account,
            dedupe_key=f"reference-agreed:{ask.pk}",
        )
    return ask


def _locked(tenant: Tenant, reference_id: int, member: Membership | None) -> Reference:
    reference = (
        Reference.objects.select_for_update(of=("self",))
        .select_related("account")
        .get(tenant=tenant, pk=reference_id)
    )
    demand_account(member, reference.account)
    return reference


def _journal(
    tenant: Tenant,
    reference: Reference,
    kind: str,
    member: Membership | None,
    title: str,
    data: dict[str, Any],
) -> None:
    record_timeline(
        tenant=tenant,
        account_id=reference.account_id,
        kind=kind,
        at=timezone.now(),
        title=title,
        actor=member,
        data={"reference": reference.pk} | data,
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action=kind.replace("_", ".", 1),
        target=f"reference:{reference.pk}",
        after={"state": reference.state} | data,
    )
