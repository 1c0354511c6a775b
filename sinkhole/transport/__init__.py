"""Listeners: datagrams and streams in, replies out; client gate and packet cache."""
