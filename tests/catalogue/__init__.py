"""Tests of the catalogue: its form, and the facts it states."""
