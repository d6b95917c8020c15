"""What the qbr app stores."""
