"""Anybody's own models as networks."""
