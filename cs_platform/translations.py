"""Compiles each app's catalogue (`.po`) for gettext (`.mo`), with polib because msgfmt may not be there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import polib

CHECKOUT = Path(__file__).resolve().parents[1]


def catalogues(checkout: Path) -> list[Path]:
    """Every catalogue of the apps and the project's own."""
    return sorted(
        [*checkout.glob("*/locale/*/LC_MESSAGES/*.po"), *checkout.glob("locale/*/LC_MESSAGES/*.po")]
    )


def compile_catalogues(checkout: Path = CHECKOUT) -> int:
    """Compile those that changed; the number compiled."""
    compiled = 0
    for source in catalogues(checkout):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns == source.stat().st_mtime_ns:
            continue
        polib.pofile(str(source), check_for_duplicates=True).save_as_mofile(str(target))
        times = source.stat()
        os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))  # equal times mean: made from this text
        compiled += 1
    return compiled


if __name__ == "__main__":
    try:
        compile_catalogues()
    except (OSError, ValueError) as error:
        sys.exit(f"Translations: {error}")
