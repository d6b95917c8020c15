"""A company signs itself up, where the operator allows it (`CS_SIGNUP=1`): an address is verified first, then it is made.

Nothing is stored before the link of the mail was opened; what was typed travels signed in the link.
"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.api_limits import count_request
from accounts.fence.scope import tenant_scope
from accounts.links import public_url
from accounts.mail import Letter, message_of
from accounts.models import Membership, OperatorEntry, Role, Tenant, User
from accounts.models.directory import validate_timezone
from accounts.services import add_member, create_tenant

SALT = "signup"
LINK_SECONDS = 24 * 3600
PER_ADDRESS, PER_MAILBOX, IN_ALL = 5, 2, 30  # mails a minute
SLUG_LENGTH = 40
NOT_A_LETTER = re.compile(r"[^a-z0-9-]+")


class SignupForm(forms.Form):
    """What a company is called and who asks."""

    company = forms.CharField(label=gettext_lazy("Name of your company"), max_length=200)
    email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"),
        max_length=254,
        help_text=gettext_lazy("We send a link to it; the company is made when you open it."),
    )

    def clean_company(self) -> str:
        """Something that an address can be made of."""
        name = " ".join(self.cleaned_data["company"].split())
        if not slug_of(name):
            raise ValidationError(_("Write a name with at least one letter or digit."))
        return name


class FinishForm(forms.Form):
    """The rest, once the address is known to be theirs."""

    name = forms.CharField(label=gettext_lazy("Your name"), max_length=150)
    timezone = forms.CharField(
        label=gettext_lazy("Time zone of the company"),
        max_length=64,
        validators=[validate_timezone],
        initial="UTC",
        help_text=gettext_lazy("As Europe/Madrid. It can be changed later."),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
    )

    def __init__(self, *args: Any, known: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if known:  # there is a login with this address: it keeps its name and password
            del self.fields["password"], self.fields["name"]

    def clean_password(self) -> str:
        """A password that the house accepts."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


def _unlisted(answer: HttpResponse) -> HttpResponse:
    """The answer, kept out of search engines."""
    # Not `sealed`: a page that sends no referrer posts its form from nowhere, and that is refused by the token's check.
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def signup(request: HttpRequest) -> HttpResponse:
    """Ask for the name of the company and an address; the answer is the same whether the address is known or not."""
    _open_or_404()
    form = SignupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if _too_many(request, form.cleaned_data["email"]):
            form.add_error(None, _("Too many requests. Wait a minute, then try again."))
            return _unlisted(render(request, "accounts/signup.html", {"form": form}, status=429))
        send_link(company=form.cleaned_data["company"], email=form.cleaned_data["email"].lower())
        return _unlisted(render(request, "accounts/signup_sent.html", {"email": form.cleaned_data["email"]}))
    status = 400 if form.errors else 200
    return _unlisted(render(request, "accounts/signup.html", {"form": form}, status=status))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def signup_finish(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the mail: who opens it has the address. Looking makes nothing."""
    _open_or_404()
    try:
        company, email = signing.loads(token, salt=SALT, max_age=LINK_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return _unlisted(render(request, "accounts/link_refused.html", status=404))
    used = OperatorEntry.objects.filter(
        action="company.signed_up", details__email=email, details__name=company
    )
    if used.exists():
        return redirect("account_login")  # the link was used; twice must not be two companies
    user = User.objects.filter(email=email).first()
    known = user is not None and user.has_usable_password()
    form = FinishForm(request.POST if request.method == "POST" else None, known=known)
    if request.method == "POST" and form.is_valid():
        try:
            language = get_language() or "en"
            tenant = make_company(company=company, email=email, language=language, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            if known:
                return redirect("account_login")
            made = Membership.objects.select_related("user").get(tenant=tenant, user__email=email)
            login(request, made.user, backend=settings.AUTHENTICATION_BACKENDS[0])
            return redirect(f"/t/{tenant.slug}/")
    status = 400 if form.errors else 200
    context = {"form": form, "company": company, "email": email, "known": known}
    return _unlisted(render(request, "accounts/signup_finish.html", context, status=status))


def send_link(*, company: str, email: str) -> None:
    """Mail the link in which name and address travel, signed; it is good for a day."""
    token = signing.dumps([company, email], salt=SALT)
    letter = Letter(
        _("Confirm your address"),
        _(
            "Open this link to make %(company)s. It works for a day. If you did not ask for it, do nothing: "
            "nothing was made."
        )
        % {"company": company},
        language=get_language() or "en",
        action_label=_("Make the company"),
        action_url=public_url("signup-finish", token=token),
    )
    message_of(letter, tenant=None, to=[email]).send()


def make_company(
    *, company: str, email: str, language: str, timezone: str, name: str = "", password: str | None = None
) -> Tenant:
    """Make the company with its first admin, and note it in the operator's log."""
    spoken = language[:2] if language[:2] in ("en", "es") else "en"
    tenant = create_tenant(slug=free_slug(company), name=company, timezone=timezone, language=spoken)
    with tenant_scope(tenant):
        member = add_member(tenant=tenant, email=email, role=Role.ADMIN, password=password, name=name)
        if password is not None and not member.user.has_usable_password():
            member.user.set_password(password)
            member.user.save(update_fields=["password"])
    OperatorEntry.objects.create(
        actor_label=email,
        action="company.signed_up",
        company=tenant.slug,
        details={"email": email, "name": company},
    )
    return tenant


def slug_of(company: str) -> str:
    """A short name for addresses from a company's name; empty where it has no letter of ours."""
    return NOT_A_LETTER.sub("", slugify(company)).strip("-")[:SLUG_LENGTH].strip("-")


def free_slug(company: str) -> str:
    """The short name, with a number behind it where it is taken."""
    wanted = slug_of(company)
    taken = set(Tenant.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    number, slug = 1, wanted
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def _open_or_404() -> None:
    if not settings.SIGNUP_OPEN:
        raise Http404


def _too_many(request: HttpRequest, email: str) -> bool:
    counts = (
        count_request(f"signup:{request.META.get('REMOTE_ADDR', '')}", PER_ADDRESS),
        count_request(f"signup:{email.lower()}", PER_MAILBOX),
        count_request("signup", IN_ALL),
    )
    return any(one is not None and one.exhausted for one in counts)
