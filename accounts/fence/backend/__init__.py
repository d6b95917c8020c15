"""Django's PostgreSQL backend, told about primary keys that begin with the tenant."""
