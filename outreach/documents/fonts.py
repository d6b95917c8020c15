"""The fonts of documents: our own files and those that typst brings along, never the machine's."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import typst
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

FOLDER = ".build/fonts"  # made at set-up by cs_platform/frontend.py
# Inter knows Latin, Greek and Cyrillic; DejaVu, which is inside typst, has Hebrew, Arabic and more signs. For what both
# lack, typst takes any font that it has: Noto Emoji, in one colour. A sign that is in none (Chinese, Hangul, Thai …) is an
# empty box on paper and stays what it is to machines; see `pdf.py`.
FAMILIES = ("Inter", "DejaVu Sans Mono")


def font_folder() -> Path:
    """Where the files are; says what to do where they were not made."""
    folder = Path(settings.BASE_DIR) / FOLDER
    if not (folder / "Inter-Regular.ttf").exists():
        raise ImproperlyConfigured(
            f"{FOLDER} has no fonts for documents: run `python3 up.py`, or `python -P cs_platform/frontend.py` "
            "in an image of your own."
        )
    return folder


@lru_cache(maxsize=1)
def fonts() -> typst.Fonts:
    """What typst may use; read once per process."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=True,
        font_paths=[str(font_folder())],
    )
