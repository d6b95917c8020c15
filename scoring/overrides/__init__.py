"""What people say beside the computed score: overrides, sentiment, whether they were right, where they disagree."""
