"""The WSGI application that gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings")
os.environ.setdefault("CS_PROCESS", "web")

application = get_wsgi_application()

# What is loaded stays: the collector need not look at it again with every page (200,000 objects, a tenth of a page's time).
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
