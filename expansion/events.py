"""What opportunities tell other systems, and the bell."""

OPPORTUNITY_OPENED = "opportunity.opened"
OPPORTUNITY_WON = "opportunity.won"
OPPORTUNITY_LOST = "opportunity.lost"
NOTICE = "opportunity"
DISCOUNT_NOTICE = "discount"
