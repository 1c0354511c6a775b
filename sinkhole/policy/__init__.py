"""Decide what happens to a name: pure, immutable, explainable."""
