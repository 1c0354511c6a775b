"""What the files of a snapshot are called."""

from typing import Final

BODY: Final = "body"
RULES: Final = "rules"
REJECTIONS: Final = "rejections.json"
SIGNATURE: Final = "signature"
