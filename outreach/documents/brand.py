"""Whose document it is: name, logo, colour and what stands at the foot."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.brand import BLACK, HEX_COLOUR, LIGHT_SURFACE, WHITE, contrast, readable_on
from accounts.models import Tenant
from outreach.deciding import settings_of
from outreach.mail.layout import HOUSE_COLOUR

from .logo import PNG, logo_png


@dataclass(frozen=True)
class Brand:
    """The tenant's look on paper. `logo` is a PNG, always: decks show no SVG."""

    name: str
    logo: bytes | None = None
    colour: str = HOUSE_COLOUR
    footer: str = ""

    def __post_init__(self) -> None:
        """Take the house colour instead of what is none."""
        if not HEX_COLOUR.match(self.colour):
            object.__setattr__(self, "colour", HOUSE_COLOUR)

    @property
    def text_colour(self) -> str:
        """The colour, darkened as far as text on paper needs."""
        return readable_on(self.colour, LIGHT_SURFACE)

    @property
    def ink(self) -> str:
        """Black or white, whichever is read better on the colour."""
        return max((WHITE, BLACK), key=lambda one: contrast(one, self.colour))


def brand_of(tenant: Tenant) -> Brand:
    """The tenant's brand; inside its scope."""
    choices = settings_of(tenant)
    logo = bytes(choices.logo) if choices.logo else None
    if logo and choices.logo_type != PNG:
        logo = logo_png(logo)  # from before logos were written anew
    return Brand(
        name=choices.from_name or tenant.name,
        logo=logo,
        colour=tenant.brand_color,
        footer=choices.postal_address,
    )
