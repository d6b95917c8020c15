"""What renewals tell other systems: the names of the events."""

RENEWAL_AT_RISK = "renewal.at_risk"
RENEWAL_RENEWED = "renewal.renewed"
RENEWAL_LOST = "renewal.lost"
RENEWAL_FORECAST = "renewal.forecast_changed"
