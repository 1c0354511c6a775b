"""The tests of Sinkhole; the tree mirrors the source."""
