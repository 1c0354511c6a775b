import json

import pytest

from sinkhole.errors import PolicyError
from sinkhole.policy.activity import Activity


def test_activity_survives_json():
    one = Activity("192.0.2.7", 3600, 3700, 5, ("lab", "house"))
    assert Activity.from_json_row(json.loads(json.dumps(one.to_json_row()))) == one


def test_row_of_another_width_is_refused():
    with pytest.raises(PolicyError, match="5 fields; found 2"):
        Activity.from_json_row(["192.0.2.7", 1])
