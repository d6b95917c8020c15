"""The Celery application. Celery is the doorbell; the ledger of work is in PostgreSQL."""

import os

from celery import Celery
from celery.signals import worker_process_init

from cs_platform.embedded.processes import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings")
os.environ.setdefault("CS_PROCESS", "worker")

app = Celery("cs_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["cs_platform"])

# A cold stop hangs when the broker died too, so a killed worker could leave its pool behind.
worker_process_init.connect(end_with_parent)
