"""Experiments with people: a site, a server for laboratories, and the analysis of what participants answered."""
