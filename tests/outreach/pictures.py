"""Pictures for tests."""

from __future__ import annotations

import io

from PIL import Image


def picture(
    width: int, height: int, kind: str = "PNG", colour: tuple[int, int, int] = (200, 30, 30)
) -> bytes:
    """A picture of one colour."""
    made = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(made, kind)
    return made.getvalue()
