"""One file a format: how a line of that product tells a query."""
