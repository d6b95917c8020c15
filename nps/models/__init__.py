"""What the nps app stores."""
