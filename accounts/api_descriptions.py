"""Schemas of the accounts API, derived from the fields that the upserts read."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.api_schema import DATE, INTEGER, MOMENT, STRING, Schema, listing, nullable, record
from accounts.upserts import MAX_ITEMS
from accounts.upserts.fields import Field
from accounts.upserts.resources import ACCOUNT_FIELDS


def field_schema(field: Field) -> Schema:
    """What a field takes."""
    schema = dict(field.schema) if field.required else nullable(field.schema)
    return schema | ({"description": field.words} if field.words else {})


def item_schema(fields: Sequence[Field], without: Sequence[str] = ()) -> Schema:
    """An item as it is sent: nothing is required but what identifies it, for the rest may be known already."""
    kept = [field for field in fields if field.name not in without]
    required = [field.name for field in kept if field.name == "external_id"]
    return record({field.name: field_schema(field) for field in kept}, required, closed=True)


def bulk_body(fields: Sequence[Field]) -> Schema:
    """`{"items": […]}`."""
    return record({"items": listing(item_schema(fields), most=MAX_ITEMS)}, closed=True)


BULK_ANSWER = record(
    {
        "created": INTEGER,
        "updated": INTEGER,
        "rejected": listing(record({"index": INTEGER, "code": STRING, "message": STRING})),
    }
)
ACCOUNT = record(
    {
        **{field.name: field_schema(field) for field in ACCOUNT_FIELDS},
        "first_seen_on": nullable(DATE),
        "created_at": MOMENT,
        "updated_at": MOMENT,
    }
)
