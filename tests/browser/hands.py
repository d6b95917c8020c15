"""Somebody without a mouse: goes from stop to stop, and minds where the focus is and whether it can be seen."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, Request

from .barriers import equip

STOPS = 400  # more than any page has: who has not found it by then does not
PARTS = ("date", "datetime-local", "time")  # fields with several stops in themselves


class Hands:
    """Two hands on a keyboard."""

    def __init__(self, page: Page, host: str) -> None:
        self.page, self.host = page, host
        self.faults: list[str] = []
        self.leaving = False
        page.emulate_media(reduced_motion="reduce")  # nothing is on its way when it is looked at
        page.on("request", self._asked)
        page.on("load", self._arrived)
        # Choosers of files are caught from the start: asked for with the key itself, the browser may hear of it too late.
        page.on("filechooser", lambda _chooser: None)

    def _asked(self, request: Request) -> None:
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self.leaving = True

    def _arrived(self, _page: Page) -> None:
        self.leaving = False

    def here(self) -> dict[str, Any]:
        """What has the focus."""
        if not self.page.evaluate("'csAsk' in window"):
            equip(self.page, with_axe=False)
        found: dict[str, Any] = self.page.evaluate("csAsk.where()")
        return found

    def step(self, *, back: bool = False) -> dict[str, Any]:
        """One stop on; what is wrong with it is remembered."""
        before = self.here()
        self.page.keyboard.press("Shift+Tab" if back else "Tab")
        at = self.here()
        place = f"{self.page.url.split('/', 3)[3]} at {at['tag']} “{at['name'][:50]}”"
        if not at["seen"]:
            self.faults.append(f"{place}: the focus is not seen")
        if not at["clear"]:
            self.faults.append(f"{place}: the focus is hidden")
        if not at["name"] and at["tag"] != "BODY":
            self.faults.append(f"{place}: has no name")
        if at["tag"] != "BODY" and at["stop"] == before.get("stop") and at["type"] not in PARTS:
            self.faults.append(f"{place}: the focus does not leave")
        return at

    def to(self, name: str, *, kind: str = "", exact: bool = True, back: bool = False) -> None:
        """Tab until the control with this name has the focus."""
        seen = []
        for _stop in range(STOPS):
            at = self.step(back=back)
            seen.append(at["name"])
            fits = at["name"] == name if exact else name in at["name"]
            if fits and kind.upper() in ("", at["tag"]):
                return
        raise AssertionError(
            f"“{name}” is not reached on {self.page.url}: {list(dict.fromkeys(seen))} {self.faults}"
        )

    def push(self, name: str, *, kind: str = "", exact: bool = True, key: str = "Enter") -> None:
        """Go to a button or a link and press it."""
        self.to(name, kind=kind, exact=exact)
        self.page.keyboard.press(key)
        self.settle()

    def fill(self, name: str, text: str, *, exact: bool = True) -> None:
        """Go to a field and write into it."""
        self.to(name, exact=exact)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)

    def choose(self, name: str, word: str, *, exact: bool = True) -> None:
        """Go to a list and choose by its first letters."""
        self.to(name, kind="select", exact=exact)
        self.page.keyboard.type(word)

    def settle(self) -> None:
        """Wait until nothing is on its way, another page least of all."""
        self.page.wait_for_timeout(150)
        while self.leaving:  # bounded by the test's own limit
            self.page.wait_for_timeout(50)
        self.page.wait_for_load_state("networkidle")

    def regain(self) -> None:
        """After a part was drawn anew, something has the focus again."""
        for _turn in range(60):
            if self.here()["tag"] != "BODY":
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"the focus is lost on {self.page.url}")
