"""The errors that Sinkhole raises on purpose: one root, one class per place of failure."""


class SinkholeError(Exception):
    """Root of every error that Sinkhole raises; its text is fit to be shown to an administrator."""


class ConfigError(SinkholeError):
    """A setting is wrong. `mistakes` holds every mistake found, each with its path."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class FormError(SinkholeError):
    """A DNS message, name or option does not have the form its RFC asks for (RCODE 1)."""


class PolicyError(SinkholeError):
    """A subject, statement, group or compiled policy file is wrong."""


class CatalogueError(SinkholeError):
    """A file of the catalogue is wrong; the text names the file and the key."""


class FeedError(SinkholeError):
    """A feed could not be fetched, read or accepted; its last good rules stay in force."""


class FeedFormatError(FeedError):
    """The text of a feed is not what its format asks for."""


class UpstreamError(SinkholeError):
    """An upstream gave no usable answer."""


class StoreError(SinkholeError):
    """The store cannot be opened, read or written."""


class AccessError(SinkholeError):
    """An account, password, token or link of the admin side is wrong, or not there."""


class OutError(SinkholeError):
    """A receiver did not take what was sent to it; the text never holds what it said."""


class ListenError(SinkholeError):
    """An address cannot be listened on."""


class LogError(SinkholeError):
    """A log cannot be read, or nothing tells what it is."""


class LogFormatError(LogError):
    """A line of a log is not what its format asks for."""


class ForeignFileError(SinkholeError):
    """A file of another program cannot be read, is too large, or is not what it was said to be.

    The text may hold words of the file, so all that could disturb a terminal is escaped in it.
    """

    def __init__(self, said: str) -> None:
        super().__init__("".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in said))
