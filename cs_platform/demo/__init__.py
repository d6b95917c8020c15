"""The demo tenant: a believable SaaS with a year of history, made through the real ingest and the real nightly run."""
