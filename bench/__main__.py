"""`python3 up.py bench [NAME …] [--small] [--output FILE]`, names as below; or `bench backtests [NAME …]`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import django

NAMES = ("ingest", "nightly", "whatif", "pql", "rules", "packs", "pages")


def main() -> int:
    """Run the chosen benchmarks and print one table."""
    if sys.argv[1:2] == ["backtests"]:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings")
        django.setup()
        from bench import backtests

        return backtests.main()
    parser = argparse.ArgumentParser(
        prog="up.py bench", description="Ratios to a floor measured in the same run."
    )
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="which (all by default)")
    parser.add_argument(
        "--small", action="store_true", help="a tenth of the size: a quick look, not a figure to quote"
    )
    parser.add_argument("--output", type=Path, help="also write the table to this file")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings")
    django.setup()
    from bench import ingest, nightly, packs, pages, pql, rules, whatif
    from bench.table import Row, markdown

    sizes = (1_000, 10_000) if options.small else (10_000, 100_000)
    chosen = options.names or list(NAMES)
    rows: list[Row] = []
    for name in chosen:
        print(f"{name} …", file=sys.stderr, flush=True)
        if name == "ingest":
            found = ingest.run(small=options.small)
        elif name == "nightly":
            found = nightly.run(sizes)
        elif name == "pql":
            found = []
            for size in sizes:
                found += pql.run(size)
                print(markdown(found), file=sys.stderr, flush=True)  # the larger size takes long
        elif name == "rules":
            found = rules.run(sizes)
        elif name == "packs":
            found = packs.run(100 if options.small else 1_000)
        elif name == "whatif":
            found = whatif.run(sizes)
        else:
            found = pages.run(sizes)
        print(
            markdown(found), file=sys.stderr, flush=True
        )  # what is measured is seen, also when the rest is cut short
        rows += found
    table = markdown(rows)
    print(table)
    if options.output:
        options.output.write_text(table + "\n")
    return 0 if all(row.met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
