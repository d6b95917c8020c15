"""A subscribed report as a mail: composed once, on its morning, with the chart as a picture in it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date
from email.mime.image import MIMEImage
from html import escape
from typing import Any
from urllib.parse import urlencode

from django.core.mail import EmailMultiAlternatives
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.fence.scope import tenant_scope
from accounts.jobs import Chunk
from accounts.links import public_url, tenant_url
from accounts.mail import mail_domain
from accounts.models import Job, Membership, Tenant
from accounts.outbox import Refused, Settle, send_to_outbox, stable_id
from accounts.visibility import Visibility, visibility_of
from outreach.documents.brand import brand_of
from outreach.formatting import plain_html
from outreach.mail.layout import Page, render
from reports.asking import NONE
from reports.definitions import BY_KEY
from reports.formulas import Verdict
from reports.leaving import make_token
from reports.models import Subscription
from reports.naming import slice_name
from reports.pictures import line_spec, report_png
from reports.schedule import is_due_on
from reports.scope import ALL, Slice, allowed
from reports.selectors import ReportPage, report_page
from reports.words import change_text, day_text, finding, target_text, value_text, window_text

from .subscribing import JOB_KIND

__all__ = ["JOB_KIND", "OUTBOX_KIND", "plan_mail", "send_report", "write_chunk"]
OUTBOX_KIND = "report_mail"
PICTURE = "chart"
SPACE = "\N{NO-BREAK SPACE}"
PICTURE_WIDTH = 536


def plan_mail(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    """One transaction."""
    return [Chunk(0, "write", {})]


def write_chunk(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Write the mail of a morning into the outbox, if it is still wanted and may be seen."""
    subscription = (
        Subscription.objects.select_for_update(of=("self",))
        .filter(tenant=tenant, pk=job.params["subscription"], ended_at=None)
        .select_related("member__user", "member__tenant")
        .first()
    )
    if subscription is not None:
        write_mail(
            tenant=tenant,
            subscription=subscription,
            on=date.fromisoformat(job.params["on"]),
            hour=job.params["hour"],
        )


def write_mail(*, tenant: Tenant, subscription: Subscription, on: date, hour: int) -> bool:
    """One mail for one morning, whatever is asked twice; False when nothing is sent."""
    wanted = (
        is_due_on(
            on,
            every=subscription.every,
            weekday=subscription.weekday,
            month_day=subscription.month_day,
        )
        and subscription.hour == hour
        and subscription.last_on != on
    )
    if not wanted:  # it was changed since, or this morning's is written already
        return False
    member = subscription.member
    paused = "" if _is_here(member) else Subscription.Paused.GONE
    which = None
    seen = Visibility()
    if not paused:
        seen = visibility_of(member)
        which = allowed(Slice(subscription.dimension, (subscription.key,)), seen)
        if which is None or (seen.money is False and BY_KEY[subscription.metric].headline.kind == "money"):
            paused = Subscription.Paused.NOTHING
    if subscription.paused != paused:
        subscription.paused = paused
        subscription.save(update_fields=["paused"])
    if paused or which is None:
        return False
    report = BY_KEY[subscription.metric]
    page = report_page(tenant, report, which=which, window=subscription.days)
    with translation.override(member.user.language or tenant.language):
        whose = slice_name(tenant, which, seen)
        payload = _payload(tenant, subscription, page, whose, money=seen.money)
    send_to_outbox(
        tenant=tenant, kind=OUTBOX_KIND, key=f"{subscription.pk}-{on.isoformat()}", payload=payload
    )
    subscription.last_on = on
    subscription.save(update_fields=["last_on"])
    return True


def _is_here(member: Membership) -> bool:
    return member.is_active and member.user.is_active


def _payload(
    tenant: Tenant, subscription: Subscription, page: ReportPage, whose: str, *, money: bool
) -> dict[str, Any]:
    """The mail as it will be sent, however often the sending is tried."""
    report, headline = page.report, page.headline
    lines = [
        f"{figure.part.title}: {value_text(figure.part, figure.value, figure.currency)}"
        + (
            f" ({change_text(figure.part, figure.change, figure.currency)})"
            if figure.change is not None
            else ""
        )
        + f", n{SPACE}={SPACE}{figure.n}"
        for figure in page.figures.values()
        if figure.part.key in {part.key for part in report.parts} and (money or figure.part.kind != "money")
    ]
    aim = target_text(report, headline.target)
    if aim and headline.verdict != Verdict.UNKNOWN:
        met = _("met") if headline.verdict != Verdict.MISSED else _("not met")
        aim = f"{aim}: {met}"
    day = day_text(headline.day) if headline.day is not None else ""
    parts = [
        finding(headline),
        " · ".join(part for part in (whose, window_text(report, page.days), day, aim) if part),
        "\n".join(f"- {line}" for line in lines),
        str(report.definition),
    ]
    png = report_png(tenant, page, brand_of(tenant), whose)
    of = (
        {"whose": "all"}
        if subscription.dimension == ALL
        else {subscription.dimension: subscription.key or NONE}
    )
    query = "?" + urlencode({"days": page.days} | of)
    return {
        "subscription": subscription.pk,
        "to": subscription.member.user.email,
        "language": translation.get_language() or tenant.language,
        "subject": finding(headline),
        "text": "\n\n".join(part for part in parts if part),
        "alt": line_spec(page).title,
        "picture": base64.b64encode(png).decode(),
        "url": f"/reports/{report.key}/{query}",
    }


def send_report(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> Settle | None:
    """Outbox handler: nothing goes to whoever has left or unsubscribed since."""
    with tenant_scope(tenant):
        subscription = (
            Subscription.objects.filter(tenant=tenant, pk=payload["subscription"])
            .select_related("member__user")
            .first()
        )
        if subscription is None or subscription.ended_at is not None:
            raise Refused("The subscription has ended.")
        if not _is_here(subscription.member):
            raise Refused("The member is no longer here.")
    compose_report(tenant, key, payload).send()
    return None


def compose_report(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> EmailMultiAlternatives:
    """The mail of an item: text, HTML with the picture in it, how to leave (RFC 8058)."""
    stop = public_url("report_stop", token=make_token(tenant, payload["subscription"]))
    url = tenant_url(tenant).rstrip("/") + payload["url"]
    with translation.override(payload["language"]):
        foot = _("You get this because you subscribed to this report at %(name)s.") % {"name": tenant.name}
        label = _("Open the report")
    text = "\n\n".join([payload["text"], url, "-- ", foot, stop])
    mail = EmailMultiAlternatives(
        " ".join(payload["subject"].split()),
        text + "\n",
        to=[payload["to"]],
        headers={
            "Message-ID": f"<{stable_id(tenant, OUTBOX_KIND, key)}@{mail_domain()}>",
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    _finding, _break, rest = payload["text"].partition("\n\n")  # which is the heading
    # A phone is narrower than the picture.
    fits = f"width:100%;height:auto;max-width:{PICTURE_WIDTH}px"
    image = f'<img src="cid:{PICTURE}" alt="{escape(payload["alt"])}" width="{PICTURE_WIDTH}" style="{fits}">'
    mail.attach_alternative(
        render(
            Page(
                subject=payload["subject"],
                body=f"<p>{image}</p>" + plain_html(rest),
                language=payload["language"],
                colour=tenant.brand_color,
                sender=tenant.name,
                action_label=label,
                action_url=url,
                unsubscribe_url=stop,
                preview=payload["subject"],
                foot=[foot],
            )
        ),
        "text/html",
    )
    attached = MIMEImage(base64.b64decode(payload["picture"]), "png")
    attached.add_header("Content-ID", f"<{PICTURE}>")
    attached.add_header("Content-Disposition", "inline", filename="chart.png")
    mail.attach(attached)
    return mail
