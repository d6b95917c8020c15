"""Settings, all from the environment; a wrong or missing value stops the process at boot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import environ
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from cs_platform.identity import *  # noqa: F403  (how allauth behaves: constants only)

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def _choice(name: str, allowed: tuple[str, ...], default: str) -> str:
    value: str = env.str(name, default=default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r}: must be one of {', '.join(allowed)}.")
    return value


# embedded: started by up.py on one machine; production: everything must be said.
CS_ENV = _choice("CS_ENV", ("embedded", "production"), "production")
# Which process this is; it decides the database role.
CS_PROCESS = _choice(
    "CS_PROCESS", ("web", "worker", "drain", "beat", "maintain", "migrate", "command", "test"), "command"
)
EMBEDDED = CS_ENV == "embedded"
TESTING = CS_PROCESS == "test"
DEBUG = env.bool("DEBUG", default=False)
# Pages and the API answer 503 while the installation is worked on; events are still taken in.
MAINTENANCE = env.bool("CS_MAINTENANCE", default=False)

SECRET_KEY = env.str("SECRET_KEY", default="")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY: set it to at least 32 random characters.")
# Former keys, while what they sealed or signed must still be read.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if EMBEDDED else [])
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS: set it to the host names of this installation, separated by commas."
    )
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://localhost:{env.int('PORT', default=8000)}").rstrip("/")
if not PUBLIC_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured(
        "PUBLIC_URL: set it to the address people open, e.g. https://success.example.com."
    )
HTTPS = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL] if HTTPS else [])

# ── Applications ────────────────────────────────────────────────────────────────────────────────────────────────
HOUSE_APPS = [
    *("accounts", "usage", "outreach", "scoring", "playbooks", "health", "pql", "alerts"),
    *("expansion", "qbr", "nps", "reports", "workspace"),
]
INSTALLED_APPS = [
    *HOUSE_APPS,  # before the admin: our templates win
    "cs_platform.apps.WiresConfig",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",  # its OpenID Connect client; accounts/signon decides who is let in
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "django_cotton.apps.SimpleAppConfig",
    "template_partials.apps.SimpleAppConfig",
    "csp",
    "django_structlog",
    "django_prometheus",
    "anymail",
]

MIDDLEWARE = [
    "accounts.fence.proxies.ProxyMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "accounts.fence.shortcut.IngestShortcut",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "accounts.errors.MaintenanceMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "accounts.fence.middleware.PreferencesMiddleware",
    "accounts.fence.middleware.TenantMiddleware",  # the innermost: opens the request's transaction
]

ROOT_URLCONF = "cs_platform.urls.public"
TENANT_URLCONF = "cs_platform.urls.tenant"
WSGI_APPLICATION = "cs_platform.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.shell",
            ],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django_cotton.cotton_loader.Loader",
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "builtins": ["django_cotton.templatetags.cotton", "template_partials.templatetags.partials"],
        },
    }
]
COTTON_DIR = "cotton"

# ── Database ────────────────────────────────────────────────────────────────────────────────────────────────────
_ROLE_OF_PROCESS = {
    "web": "cs_web",
    "test": "cs_migrate",  # makes the test database, then tests/conftest.py switches to cs_web
    "migrate": "cs_migrate",
    "maintain": "cs_migrate",
}
_URL_NAME = {
    "cs_web": "DATABASE_URL",
    "cs_worker": "DATABASE_URL_WORKER",
    "cs_migrate": "DATABASE_URL_MIGRATE",
    "cs_dispatch": "DATABASE_URL_DISPATCH",
}


def _database(role: str) -> dict[str, Any]:
    """The connection of a role: its own URL, else DATABASE_URL with the user name swapped."""
    url = env.str(_URL_NAME[role], default="")
    if not url:
        base = env.str("DATABASE_URL", default="")
        if not base:
            raise ImproperlyConfigured(
                "DATABASE_URL: set it, or start with `python3 up.py`, which brings PostgreSQL along."
            )
        parts = urlsplit(base)
        user, at, host = parts.netloc.rpartition("@")
        password = user.partition(":")[2]
        url = urlunsplit(parts._replace(netloc=f"{role}:{password}{at}{host}"))
    config: dict[str, Any] = dict(environ.Env.db_url_config(url))
    if "postgres" not in config["ENGINE"]:
        raise ImproperlyConfigured(f"{_URL_NAME[role]}: only PostgreSQL is supported.")
    config["ENGINE"] = "accounts.fence.backend"  # Django's, for keys that begin with the tenant
    config.update(
        CONN_MAX_AGE=300, CONN_HEALTH_CHECKS=True, ATOMIC_REQUESTS=False, DISABLE_SERVER_SIDE_CURSORS=True
    )
    config["TEST"] = {"NAME": os.environ.get("CS_TEST_DB", "test_cs_platform")}
    return config


DATABASES = {
    "default": _database(_ROLE_OF_PROCESS.get(CS_PROCESS, "cs_worker")),
    "dispatch": _database("cs_dispatch"),
}
DATABASES["dispatch"]["TEST"]["MIRROR"] = "default"
DATABASE_ROUTERS: list[str] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
if not REDIS_URL:
    raise ImproperlyConfigured("REDIS_URL: set it, or start with `python3 up.py`, which brings Valkey along.")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cs",
    }
}

# ── Celery: a doorbell, see accounts/models/work.py ─────────────────────────────────────────────────────────────
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 900
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 1800,  # longer than any task may run, else it runs twice
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "plan-nightly": {"task": "cs_platform.tasks.plan_nightly", "schedule": 60.0},
    "ring-jobs": {"task": "cs_platform.tasks.ring_jobs", "schedule": 2.0},
}

# ── Identity ────────────────────────────────────────────────────────────────────────────────────────────────────
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.passwords.UnlikeThePerson"},
    {"NAME": "accounts.passwords.LongEnough", "OPTIONS": {"min_length": 10}},
    {"NAME": "accounts.passwords.Uncommon"},
]
# Limits of tries; the others are allauth's. Second factors count as `login_failed`, with the person as the key.
SIGN_IN_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "10/m/ip,3/5m/key",
}
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = False if TESTING else SIGN_IN_LIMITS
MFA_RATE_LIMITS: dict[str, str] | bool = False if TESTING else {"webauthn_login": "10/m/ip"}
SIGN_ON_PER_MINUTE = 0 if TESTING else 30  # attempts of single sign-on from one address
OPERATOR_SECOND_FACTOR = env.bool("OPERATOR_SECOND_FACTOR", default=not EMBEDDED)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = 14 * 24 * 3600

# ── Security ────────────────────────────────────────────────────────────────────────────────────────────────────
CSRF_FAILURE_VIEW = "accounts.errors.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = (
    False  # ingest must never be redirected (research: clients lose events); the proxy does it for pages
)
SILENCED_SYSTEM_CHECKS = ["security.W008"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
PROXIES = env.int("TRUST_PROXY", default=0)  # how many of ours stand in front, each telling whom it saw
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": [],
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024  # a batch may have 5 MB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# ── Language, time ──────────────────────────────────────────────────────────────────────────────────────────────
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["cs_platform.formats"]
TIME_ZONE = "UTC"

# ── Static files ────────────────────────────────────────────────────────────────────────────────────────────────
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / ".build" / "collected")))
STATICFILES_DIRS = [p for p in (BASE_DIR / "static", BASE_DIR / ".build" / "static") if p.is_dir()]
WHITENOISE_USE_FINDERS = EMBEDDED
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Compressing takes most of a minute, so only the image build does it.
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# ── Mail ────────────────────────────────────────────────────────────────────────────────────────────────────────
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://" if EMBEDDED else "smtp://localhost:25")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 30  # well under the lease of the relay
# A provider's API instead of SMTP; everything else that it needs is said as ANYMAIL_<NAME>.
ANYMAIL_PROVIDER = _choice(
    "ANYMAIL_PROVIDER",
    ("", "amazon_ses", "brevo", "mailersend", "mailgun", "mailjet", "mailtrap", "mandrill", "postal", "postmark",
     "resend", "scaleway", "sendgrid", "sparkpost", "unisender_go"),
    "",
)  # fmt: skip
ANYMAIL = {
    name.removeprefix("ANYMAIL_"): value
    for name, value in os.environ.items()
    if name.startswith("ANYMAIL_") and name != "ANYMAIL_PROVIDER"
}
if ANYMAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{ANYMAIL_PROVIDER}.EmailBackend"
# Nobody said where mail goes: it stays here, and the outbox page shows it.
MAIL_IS_KEPT = EMBEDDED and not ANYMAIL_PROVIDER and not env.str("EMAIL_URL", default="")
if MAIL_IS_KEPT:
    EMAIL_BACKEND = "outreach.backends.KeptMail"
if TESTING:
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="cs-platform <no-reply@localhost>")

# ── Requests to addresses that tenants type ─────────────────────────────────────────────────────────────────────
# A receiver on this machine, for tests; the production settings refuse it.
OUTBOUND_TEST_LOOPBACK = env.bool("OUTBOUND_TEST_LOOPBACK", default=False)
if OUTBOUND_TEST_LOOPBACK and not EMBEDDED:
    raise ImproperlyConfigured("OUTBOUND_TEST_LOOPBACK: only for tests on one machine, never in production.")

# ── API ─────────────────────────────────────────────────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api_keys.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api_keys.ScopePermission"],
    "DEFAULT_RENDERER_CLASSES": ["accounts.api_json.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api_json.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.api_errors.error_response",
    "UNAUTHENTICATED_USER": None,
}
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=1200)
SPECTACULAR_SETTINGS = {
    "TITLE": "cs-platform API",
    "DESCRIPTION": "Usage in; accounts, health, alerts and tasks out.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
}

# ── Logs, metrics, errors ───────────────────────────────────────────────────────────────────────────────────────
LOG_LEVEL = _choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
_LOG_CHAIN: list[Any] = [
    structlog.contextvars.merge_contextvars,  # request_id, user_id
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.format_exc_info,
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer(),
            "foreign_pre_chain": _LOG_CHAIN,
        },
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain" if EMBEDDED else "json"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django_structlog": {"level": "WARNING"},  # a line per request is the proxy's work
    },
}
structlog.configure(
    processors=[*_LOG_CHAIN, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
PROMETHEUS_EXPORT_MIGRATIONS = False
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
SENTRY_DSN = env.str("SENTRY_DSN", default="")
if SENTRY_DSN:
    import sentry_sdk

    sentry_sdk.init(dsn=SENTRY_DSN, send_default_pii=False)

# ── Metrics defined by SQL ──────────────────────────────────────────────────────────────────────────────────────
SQL_METRIC_SECONDS = env.float("SQL_METRIC_SECONDS", default=10.0)  # a query that takes longer is stopped
SQL_METRIC_ROWS = env.int("SQL_METRIC_ROWS", default=500_000)  # rows that one may give

# Whether companies may sign themselves up at /signup/.
SIGNUP_OPEN = env.bool("CS_SIGNUP", default=False)
DEMO_ENABLED = EMBEDDED and env.bool("CS_DEMO", default=True)
