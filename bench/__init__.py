"""Benchmarks beside named peers, on loopback only."""
