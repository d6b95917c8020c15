"""Which group each table belongs to; a table in none of them must be fenced."""

# Needed before a tenant is known; on a sharded database these are reference tables.
DIRECTORY = frozenset(
    {
        "accounts_user",
        "accounts_user_groups",
        "accounts_user_user_permissions",
        "accounts_tenant",
        "accounts_membership",
        "accounts_apikey",
    }
)
# Django's and allauth's own; nothing of a tenant's data is in them.
NODE_LOCAL = frozenset(
    {
        "django_migrations",
        "django_session",
        "django_content_type",
        "django_admin_log",
        "auth_group",
        "auth_group_permissions",
        "auth_permission",
        "account_emailaddress",
        "account_emailconfirmation",
        "mfa_authenticator",
        "usersessions_usersession",
        "socialaccount_socialaccount",
        "socialaccount_socialapp",
        "socialaccount_socialtoken",
        # What the operator did to companies; it outlives them, so it names them by their short name only.
        "accounts_operatorentry",
    }
)
# Rows are added and read, never changed.
APPEND_ONLY = frozenset({"accounts_auditentry", "accounts_operatorentry", "accounts_requestrecord"})
# All that `cs_dispatch` may see of any table: who has work, and since when.
DISPATCH_COLUMNS = frozenset({"tenant_id", "state", "due_at", "next_at", "received_at"})
