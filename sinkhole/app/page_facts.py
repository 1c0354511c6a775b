"""Put what the catalogue says to people beside the compiled policy, for the block page."""

from sinkhole.app.compiled import compiled_folder
from sinkhole.app.state import State
from sinkhole.blockpage.facts import facts_of, read_facts, write_facts
from sinkhole.errors import PolicyError
from sinkhole.policy.document import load_document


def publish_facts(state: State) -> bool:
    """Put them in place if the compiled names are others than the last time; return whether they were.

    Raises:
        PolicyError: they cannot be written, or no policy is compiled.
        CatalogueError: the catalogue is broken.
    """
    folder = compiled_folder(state.folder)
    image = load_document(folder).image
    if read_facts(folder).image == image:
        return False
    try:
        write_facts(folder, facts_of(state.catalogue().catalogue, image))
    except OSError as error:
        raise PolicyError(f"{folder}: what the block page tells cannot be written: {error.strerror}") from error
    return True
