"""The parts that wire everything: processes, sockets, the state of an installation."""
