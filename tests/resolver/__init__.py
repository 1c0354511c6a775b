"""Tests of the resolver chain."""
