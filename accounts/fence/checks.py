"""System checks of the fence."""
