"""Tests of sinkhole.upstream."""
