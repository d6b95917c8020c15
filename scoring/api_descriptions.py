"""Schemas of the API of scores."""

from __future__ import annotations

from accounts.api_schema import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    STRING,
    Schema,
    inpath,
    listing,
    nullable,
    query,
    record,
)

EXTERNAL_ID = inpath("external_id", {"type": "string", "maxLength": 200}, "what you call the account")
MODEL_KEY = inpath("key", STRING, "plg, playbook, pql or a model of your own")
ON = query("on", DATE, "The newest one stored by this day; without it, the newest.")
BAND: Schema = {
    "type": "string",
    "enum": ["unknown", "critical", "at_risk", "healthy", "none", "medium", "high"],
}
MODEL = record({"key": STRING, "version": INTEGER})
MEASURE = record({"metric": STRING, "value": nullable(NUMBER), "scaled": nullable(NUMBER)})
COMPONENT = record(
    {
        "key": STRING,
        "weight": NUMBER,
        "effective_weight": nullable(NUMBER),
        "score": nullable(NUMBER),
        "points": nullable(NUMBER),
        "missing": BOOLEAN,
        "measures": listing(MEASURE),
    }
)
_SCORE: dict[str, Schema] = {
    "on": nullable(DATE),
    "score": nullable(NUMBER),
    "band": BAND,
    "coverage": NUMBER,
    "model": nullable(MODEL),
    "new": BOOLEAN,
}
EXCEPTION = record({"name": STRING, "metric": STRING, "cap": NUMBER, "points": NUMBER})
_EXPLANATION: dict[str, Schema] = {
    "account_id": nullable(STRING),
    **_SCORE,
    "components": listing(COMPONENT),
}
# `exceptions` is there only where one holds the score down: points of the components + points of these = score.
EXPLANATION = record({**_EXPLANATION, "exceptions": listing(EXCEPTION)}, required=list(_EXPLANATION))
HEALTH_BAND: Schema = {"type": "string", "enum": ["unknown", "critical", "at_risk", "healthy"]}
OVERRIDE = record(
    {
        "id": INTEGER,
        "band": HEALTH_BAND,
        "score": nullable(NUMBER),
        "reason": STRING,
        "from": DATE,
        "until": DATE,
        "ended_on": nullable(DATE),
        "by": nullable(STRING),
        "computed_score": nullable(NUMBER),
        "computed_band": HEALTH_BAND,
    }
)
OVERRIDE_WISH = record(
    {
        "reason": {"type": "string", "minLength": 1, "maxLength": 1000},
        "days": {"type": "integer", "enum": [7, 14, 30, 60, 90], "default": 30},
        "band": {"type": "string", "enum": ["healthy", "at_risk", "critical"]},
        "score": {"type": "number", "minimum": 0, "maximum": 100},
    },
    ["reason"],
    closed=True,
)
# `score` and `band` stay as computed; what people said instead stands in `override`.
HEALTH = record(
    {**_EXPLANATION, "override": nullable(OVERRIDE), "exceptions": listing(EXCEPTION)},
    required=[*_EXPLANATION, "override"],
)
HISTORY_ROW = record(_SCORE)
COMPONENT_VALUES = record(
    {
        "components": {
            "type": "object",
            "additionalProperties": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
        },
        "measures": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
    },
    ["components"],
)
CALCULATOR_WORDS = (
    "`components` are scores of 0-100 by component key; an absent one is missing. The model's exceptions are applied: they "
    "look at `measures`, raw values by metric (`active_days`) or by component and metric (`usage.active_days`), and a "
    "component that consists of one measure tells that measure's score as well. A measure that is not known fulfils no "
    "exception. Measures change no component. An exception that holds the score down is listed under `exceptions`."
)
VERSION_NUMBER = query("version", INTEGER, "The number of a version; without it, the published one.")
MODEL_DEFINITION = record(
    {
        "version": INTEGER,
        "state": {"type": "string", "enum": ["draft", "published", "retired"]},
        "in_force_from": nullable(DATE),
        "definition": {"type": "object", "additionalProperties": True},
    }
)
