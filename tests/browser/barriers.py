"""What is asked of a page that is open: axe, names of what can be used, focus that is seen, narrow windows, large text."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TOOLS = Path(__file__).with_name("barriers.js")
DESK, PHONE = 1360, 390
# Theme, width, whether axe asks everything: what is there is the same in all themes, what is shown depends on the width.
LOOKS = (("light", DESK, True), ("dark", DESK, False), ("dark", PHONE, True), ("light", PHONE, False))
NARROW = 320  # a desk window of 1,280 pixels at 400 % (WCAG 1.4.10)
# Charts were drawn again as wide as their place is now.
DRAWN = """() => [...document.querySelectorAll('.js-plotly-plot .main-svg')]
  .every(e => !e.checkVisibility() || e.getBoundingClientRect().width <= e.closest('.chart-canvas').clientWidth + 1)"""
# Parts that are still to come, the next one brought into sight for it, and parts that failed. A jump to the end would pass
# by the ones in the middle, and htmx looks only now and then whether one came into sight: nothing may be on its way yet.
COMING = """() => {
  const name = e => e.getAttribute('aria-label') || e.id || e.className;
  const lazy = [...document.querySelectorAll('[data-lazy]')].filter(e => e.checkVisibility());
  const next = lazy.filter(e => !e.classList.contains('has-failed'));
  const asked = [...document.querySelectorAll('.htmx-request, .htmx-swapping, .htmx-settling')];
  if (next.length) { next[0].scrollIntoView({block: 'center'}); }
  return [[...next, ...asked].map(name), lazy.filter(e => e.classList.contains('has-failed')).map(name)];
}"""
TWICE = "document.documentElement.style.fontSize = '200%'"  # WCAG 1.4.4


def equip(page: Page, *, with_axe: bool = True) -> None:
    """Give the page the tools that ask it. The debugger brings them, so the page's policy has nothing against it."""
    if with_axe:
        page.evaluate(AXE.read_text(encoding="utf-8") + ";undefined")
    page.evaluate(TOOLS.read_text(encoding="utf-8") + ";undefined")


def look(page: Page, theme: str, width: int) -> None:
    """The same page in another look, without loading it again."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(60)  # a frame for the colours
    wait_for_charts(page)


def wait_for_charts(page: Page) -> None:
    """Playwright's own waiting evaluates text in the page, which its policy forbids."""
    for _turn in range(100):
        if page.evaluate(DRAWN):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"a chart on {page.url} stays wider than its place")


def unfold(page: Page) -> list[str]:
    """Go to each part that comes when it is seen, until none is left to come; those that say that they could not."""
    for _turn in range(400):
        coming, failed = page.evaluate(COMING)
        if not coming:
            page.evaluate("window.scrollTo(0, 0)")
            return [f"a part did not come: {name}" for name in failed]
        page.wait_for_timeout(50)
    raise AssertionError(f"parts of {page.url} are still to come: {coming}")


def faults(page: Page) -> list[str]:
    """Everything at once, in both themes at both widths; each fault with the look that has it."""
    found = unfold(page)
    equip(page)
    for theme, width, whole in LOOKS:
        look(page, theme, width)
        here = [
            *page.evaluate("whole => csAsk.barriers(whole)", whole),
            *page.evaluate("csAsk.wide('as it is')"),
        ]
        if theme == "light":  # colours do not matter to these
            here += page.evaluate("csAsk.obscured()")
        if (theme, width, whole) == LOOKS[0]:
            here += page.evaluate("csAsk.nameless()")
        found += [f"{theme} {width}: {fault}" for fault in here]
    look(page, "light", NARROW)
    found += page.evaluate("csAsk.wide('320 pixels')")
    look(page, "light", DESK)
    page.evaluate(TWICE)
    wait_for_charts(page)
    found += page.evaluate("[...csAsk.wide('text at 200 %'), ...csAsk.cut('text at 200 %')]")
    page.evaluate("document.documentElement.style.fontSize = ''")
    return found
