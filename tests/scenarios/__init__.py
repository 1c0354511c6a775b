"""Scenario files, each about one section of an RFC, and what runs them."""
