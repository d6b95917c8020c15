"""One's own address: the new one counts only after its link was opened, and both mailboxes are told.

Nothing is stored before that; what was asked for travels signed in the link. allauth would keep the unproven address beside
the login, where its own search for logins finds it: another company's invitation could then open itself to the wrong person.
"""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.models import EmailAddress
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.api_limits import count_request
from accounts.fence.scope import in_scope
from accounts.links import public_url
from accounts.mail import Letter, message_of
from accounts.models import Membership, User
from accounts.services.access import note_personal
from accounts.sessions import end_all_sessions

SALT = "own-address"
LINK_SECONDS = 24 * 3600
PER_LOGIN, PER_MAILBOX = 5, 2  # mails a minute


class AddressForm(forms.Form):
    """Another address for the own login."""

    email = forms.EmailField(
        label=gettext_lazy("New e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=gettext_lazy("We send a link to it; until you open it, nothing changes."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_email(self) -> str:
        """In small letters, as logins are kept."""
        address: str = self.cleaned_data["email"].lower()
        if address == self._user.email:
            raise ValidationError(_("This is your address already."))
        return address


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth has no types
def own_address(request: HttpRequest) -> HttpResponse:
    """Ask for the new address; the answer is the same whether somebody has it or not."""
    if in_scope():  # inside a company only its own log could be written
        return redirect(public_url("account_email"))
    user = _user(request)
    if _kept_by_provider(user):
        return _closed(request)
    form = AddressForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data["email"]
        if _too_many(user, wanted):
            form.add_error(None, _("Too many requests. Wait a minute, then try again."))
            return render(request, "accounts/own_address.html", {"form": form}, status=429)
        ask(user=user, wanted=wanted)
        return render(request, "accounts/own_address_sent.html", {"email": wanted})
    return render(request, "accounts/own_address.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth has no types
def own_address_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the mail. Looking changes nothing: scanners of mail look too."""
    if in_scope():
        return redirect(public_url("own-address-confirm", token=token))
    user = _user(request)
    if _kept_by_provider(user):
        return _closed(request)
    wanted = address_of(token, user)
    if wanted is None:
        return render(request, "accounts/own_address_refused.html", status=404)
    if request.method != "POST":
        return render(request, "accounts/own_address_confirm.html", {"email": wanted})
    try:
        former = change_address(user=user, wanted=wanted)
    except ValidationError as error:
        form_error = " ".join(error.messages)
        return render(request, "accounts/own_address_confirm.html", {"problem": form_error}, status=409)
    note_personal(
        user=user, request=request, action="member.email_changed", after={"from": former, "to": wanted}
    )
    end_all_sessions(user, keep=request)
    tell_both(user=user, former=former)
    messages.success(request, _("Your address is %(email)s now. Sign in with it.") % {"email": wanted})
    return redirect("/")


def ask(*, user: User, wanted: str) -> None:
    """Mail the link to the new address, and word of it to the one that counts."""
    if User.objects.filter(email=wanted).exists():
        _send(
            user,
            wanted,
            gettext_lazy("Your address has a login already"),
            gettext_lazy("Somebody wanted to give this address to another login. Nothing was changed."),
        )
    else:
        token = signing.dumps([user.pk, user.email, wanted, _stamp(user)], salt=SALT)
        _send(
            user,
            wanted,
            gettext_lazy("Confirm your new address"),
            gettext_lazy(
                "Open this link to sign in with this address from now on. It works for a day. If you did not ask for "
                "it, do nothing: nothing was changed."
            ),
            gettext_lazy("Use this address"),
            public_url("own-address-confirm", token=token),
        )
    _send(
        user,
        user.email,
        gettext_lazy("Another address was asked for"),
        gettext_lazy(
            "Somebody signed in as you asked to change the address of your login. It changes when the link that we sent "
            "there is opened. If it was not you, set a new password at once: the link then opens nothing."
        ),
    )


def address_of(token: str, user: User) -> str | None:
    """The address that a link proves; None for one that ended, was used, or is another person's."""
    try:
        pk, former, wanted, stamp = signing.loads(token, salt=SALT, max_age=LINK_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    fits = (pk, former, stamp) == (user.pk, user.email, _stamp(user))
    return str(wanted) if fits else None


def change_address(*, user: User, wanted: str) -> str:
    """Give the login its proven address and return the former one; raises `ValidationError` where it is taken."""
    former = user.email
    try:
        with transaction.atomic():
            held = User.objects.select_for_update().get(pk=user.pk)
            if held.email != former:
                raise ValidationError(_("Your address was changed meanwhile."))
            held.email = wanted
            held.save(update_fields=["email"])
            EmailAddress.objects.filter(user=held).delete()  # logins are found by those too
    except IntegrityError:
        raise ValidationError(_("This address has a login by now, so it cannot be yours.")) from None
    user.email = wanted
    return former


def tell_both(*, user: User, former: str) -> None:
    """Say to both mailboxes that it is done."""
    for address in (former, user.email):
        _send(
            user,
            address,
            gettext_lazy("The address of your login was changed"),
            gettext_lazy(
                "You sign in with another address now, and your mail goes there. If it was not you, tell an admin of "
                "your company at once."
            ),
        )


def _send(user: User, to: str, subject: Any, text: Any, label: Any = "", url: str = "") -> None:
    language = user.language or translation.get_language() or "en"
    with translation.override(language):
        letter = Letter(str(subject), str(text), language=language, action_label=str(label), action_url=url)
        message_of(letter, tenant=None, to=[to]).send()


def _stamp(user: User) -> str:
    """Another one after a new password, or after all sessions were ended."""
    return user.get_session_auth_hash()[:20]


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _kept_by_provider(user: User) -> bool:
    """Whether a company of the person's has its people come in by its own identity provider only."""
    return Membership.objects.filter(user=user, is_active=True, tenant__sign_on_only=True).exists()


def _closed(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/own_address_closed.html", status=403)


def _too_many(user: User, wanted: str) -> bool:
    counts = (
        count_request(f"own-address:{user.pk}", PER_LOGIN),
        count_request(f"own-address:{wanted}", PER_MAILBOX),
    )
    return any(one is not None and one.exhausted for one in counts)
