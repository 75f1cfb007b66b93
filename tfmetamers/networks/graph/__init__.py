"""A traced graph, and how it is replayed with weights that never change."""
