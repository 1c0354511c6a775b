import json

import pytest

from sinkhole.errors import PolicyError
from sinkhole.policy.sighting import Sighting


def test_sighting_survives_json():
    one = Sighting("192.0.2.7", 3600, 3700, 5, ("lab", "house"))
    assert Sighting.from_json_row(json.loads(json.dumps(one.to_json_row()))) == one


def test_row_of_another_width_is_refused():
    with pytest.raises(PolicyError, match="5 fields; found 2"):
        Sighting.from_json_row(["192.0.2.7", 1])
