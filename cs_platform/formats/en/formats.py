"""Nov 22, 2026, as short days are written on every page; Django writes Nov. 22, 2026."""

DATE_FORMAT = "M j, Y"
DATETIME_FORMAT = "M j, Y, P"
SHORT_DATE_FORMAT = "M j, Y"  # 02/03 is March to some and February to others
SHORT_DATETIME_FORMAT = "M j, Y, P"
YEAR_MONTH_FORMAT = "M Y"
