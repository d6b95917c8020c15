"""The directory: what must be known before a tenant is known. Not fenced, narrow, rarely written."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class UserManager(BaseUserManager["User"]):
    """Makes users; an e-mail address is the login."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        """Make a user; without a password the login waits for a set-password mail."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        """Make a platform operator, who manages tenants."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)


class User(AbstractBaseUser, PermissionsMixin):
    """A login. What it may do in a tenant is said by its memberships."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    # No last_login: the directory must not be written on every login (see ARCHITECTURE.md, growing past one machine).
    last_login = None
    id = models.BigAutoField(primary_key=True)
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    language = models.CharField(
        _("language"), max_length=5, blank=True, choices=[("en", "English"), ("es", "Español")]
    )
    timezone = models.CharField(_("time zone"), max_length=64, blank=True)
    theme = models.CharField(_("appearance"), max_length=5, choices=Theme, default=Theme.AUTO)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("platform operator"), default=False)
    date_joined = models.DateTimeField(default=now)
    # Part of what every session must match, so that raising it ends them all at once.
    session_epoch = models.PositiveIntegerField(default=0, db_default=0)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.name or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's, over the password, and over the epoch once sessions were ended by hand."""
        if not self.session_epoch:
            return str(super()._get_session_auth_hash(secret=secret))  # type: ignore[misc]  # not in the stubs
        salt = "accounts.models.User.session_epoch"
        value = f"{self.session_epoch}:{self.password}"
        return salted_hmac(salt, value, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self).split(" ")[0]


def validate_timezone(value: str) -> None:
    """Raise a ValidationError unless the name is in the IANA list."""
    if value not in available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone; use a name such as Europe/Madrid."), params={"name": value}
        )


class Tenant(models.Model):
    """A company that uses the platform; nothing of one is ever visible to another."""

    id = models.BigAutoField(primary_key=True)
    slug = models.CharField(
        _("short name in addresses"),
        max_length=50,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*\Z", _("Use small letters, digits and hyphens."))],
    )
    name = models.CharField(_("name"), max_length=200)
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_timezone])
    language = models.CharField(
        _("language"), max_length=5, default="en", choices=[("en", "English"), ("es", "Español")]
    )
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    brand_color = models.CharField(_("brand colour"), max_length=7, blank=True)
    is_demo = models.BooleanField(_("demo"), default=False)
    # Asked at every door before anything of the tenant is read, so they are here and not in its settings.
    second_factor_required = models.BooleanField(_("second factor required"), default=False, db_default=False)
    sign_on_only = models.BooleanField(_("only by single sign-on"), default=False, db_default=False)
    created_at = models.DateTimeField(_("created"), default=now)
    # Roles that see no amounts of money. Here and not in the settings, so that no request has to ask for it.
    hidden_money_roles = ArrayField(
        models.CharField(max_length=10), default=list, blank=True, verbose_name=_("roles that see no money")
    )
    suspended_at = models.DateTimeField(_("suspended"), null=True, blank=True)
    deletes_at = models.DateTimeField(_("will be deleted"), null=True, blank=True)

    class Meta:
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")

    def __str__(self) -> str:
        return self.name

    def is_open(self) -> bool:
        """Whether anybody may come in: neither suspended by the operator nor at the end of its days."""
        return self.suspended_at is None and (self.deletes_at is None or self.deletes_at > now())

    @property
    def tz(self) -> ZoneInfo:
        """The time zone in which the tenant's days begin and end."""
        return ZoneInfo(self.timezone)

    def local_now(self) -> datetime:
        """The time on the tenant's clock."""
        return now().astimezone(self.tz)

    def today(self) -> date:
        """The date on the tenant's calendar."""
        return self.local_now().date()


class Role(models.TextChoices):
    """What a member may do, each including the ones before."""

    VIEWER = "viewer", _("Viewer")
    CSM = "csm", _("CSM")
    MANAGER = "manager", _("Manager")
    ADMIN = "admin", _("Admin")


class Membership(models.Model):
    """A login inside a tenant, with a role. Members are deactivated, never deleted: their work stays signed."""

    class Scope(models.TextChoices):
        """Whose accounts a member sees; those that nobody owns are seen with the team's."""

        OWN = "own", _("The own accounts")
        TEAM = "team", _("Accounts of the own teams and those nobody owns")
        ALL = "all", _("All accounts")

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role)
    scope = models.CharField(
        _("sees"), max_length=4, choices=Scope, default=Scope.ALL, db_default=Scope.ALL.value
    )
    is_active = models.BooleanField(_("active"), default=True)
    # An operator of the platform who came in to help: until then, and seen by everybody on the page of the team.
    support_until = models.DateTimeField(_("support until"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=now)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="member_once_per_tenant"),
            # The composite foreign keys of owners, assignees and actors point here.
            models.UniqueConstraint(fields=["tenant", "id"], name="member_of_tenant"),
        ]

    def __str__(self) -> str:
        return str(self.user)


class ApiKey(models.Model):
    """A key of an integration: shown once, stored as a hash, its prefix says what it may do."""

    class Scope(models.TextChoices):
        INGEST = "ingest", _("Send usage")
        READ = "read", _("Read")
        WRITE = "write", _("Read and write")

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=100)
    scope = models.CharField(pgettext_lazy("API key", "may"), max_length=10, choices=Scope)
    prefix = models.CharField(max_length=24, unique=True)
    secret_hash = models.CharField(max_length=64)
    created_by = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(_("created"), default=now)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
