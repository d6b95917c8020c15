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

MAIN_PROCESS = os.getpid()  # the pool is forked after this module is loaded


@worker_process_init.connect(weak=False)
def end_with_main_process(**arguments: object) -> None:
    """A cold stop hangs when the broker died too, so a killed worker could leave its pool behind."""
    end_with_parent(MAIN_PROCESS)
