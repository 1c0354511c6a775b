"""Readers of the formats lists come in: each turns one row into rules and rejections."""
