"""Configurations of other resolvers, read into one neutral form; nothing here changes anything."""
