"""What the expansion app stores."""
