"""The wires: settings, addresses, Celery and the nightly story."""
