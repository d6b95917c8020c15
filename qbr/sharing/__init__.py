"""Packs leave the house: files, signed links, mail, and what customers answer."""
