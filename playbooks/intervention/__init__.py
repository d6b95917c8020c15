"""When a person takes over from automation, how work is handed over, and what CSMs are taught."""
