"""A table that can be held weakly. Not compiled: only classes of the interpreter can."""

from sinkhole.transport.table import Table


class HeldTable(Table):
    """A table, gone with the last client that has it."""

    __slots__ = ("__weakref__",)
