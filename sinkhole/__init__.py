"""Sinkhole: a DNS resolver that shows who talks to which AI vendor, and stops what policy forbids."""

__version__ = "0.1.0"
