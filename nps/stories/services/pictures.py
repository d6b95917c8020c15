"""The customer's logo and the picture of who is quoted: looked at, re-encoded, with the name of who allowed it."""

from __future__ import annotations

import hashlib
from io import BytesIO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from accounts.models import Membership, Tenant
from nps.stories.models import Story, StoryPicture

from .keeping import demand_editable, keep_text, locked_story

MOST_BYTES = 3_000_000
MOST_PIXELS = 25_000_000
FORMATS = ("PNG", "JPEG")
SIZES = {StoryPicture.Kind.LOGO: (900, 300), StoryPicture.Kind.PERSON: (480, 480)}


def re_encoded(content: bytes, kind: str) -> tuple[bytes, int, int]:
    """The picture as a PNG of ours with its size: whatever else the file carried is gone. Raises a ValidationError."""
    if len(content) > MOST_BYTES:
        raise ValidationError({"picture": _("The picture is larger than 3 MB.")})
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ValidationError({"picture": _("The picture has too many pixels; use a smaller one.")})
            upright = ImageOps.exif_transpose(opened)
            picture = upright.convert(
                "RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB"
            )
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValidationError({"picture": _("This is no PNG or JPEG picture.")}) from error
    size = SIZES[StoryPicture.Kind(kind)]
    if kind == StoryPicture.Kind.PERSON:
        picture = ImageOps.fit(picture, size)
    else:
        picture.thumbnail(size)
    out = BytesIO()
    picture.save(out, format="PNG", optimize=True)
    return out.getvalue(), picture.width, picture.height


def set_picture(
    *,
    tenant: Tenant,
    story_id: int,
    kind: str,
    content: bytes,
    consent: str,
    member: Membership | None = None,
) -> StoryPicture:
    """Show a picture; who at the customer allowed it must be said. An edit like any other: it voids approvals."""
    story = locked_story(tenant, story_id, member)
    demand_editable(story)
    if kind not in StoryPicture.Kind.values:
        raise ValidationError({"kind": _("Choose a logo or the picture of the person.")})
    if not consent.strip():
        raise ValidationError({"consent": _("Say who at the customer allowed it.")})
    png, width, height = re_encoded(content, kind)
    picture, _made = StoryPicture.objects.update_or_create(
        tenant=tenant,
        story=story,
        kind=kind,
        defaults={
            "png": png,
            "hash": hashlib.sha256(png).hexdigest(),
            "width": width,
            "height": height,
            "consent_by": member,
            "consent_note": consent.strip()[:300],
        },
    )
    keep_text(tenant, story, member, f"picture.{kind}")
    return picture


def remove_picture(*, tenant: Tenant, story_id: int, kind: str, member: Membership | None = None) -> Story:
    """Show it no more."""
    story = locked_story(tenant, story_id, member)
    demand_editable(story)
    StoryPicture.objects.filter(tenant=tenant, story=story, kind=kind).delete()
    keep_text(tenant, story, member, f"picture.{kind}")
    return story
