"""Feather, Leclerc, Mądry and McDermott (Nature Neuroscience 2023), figure by figure."""
