"""The settings as they may be shown: no secret is a setting, but the address of a webhook often holds one."""

from typing import Any

from sinkhole.app.out_status import shown_target
from sinkhole.config.schema import Settings


def shown_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings for JSON, the addresses of webhooks without their paths."""
    told: dict[str, Any] = settings.model_dump(mode="json")
    told["out"] = [one | {"target": shown_target(out)} for one, out in zip(told["out"], settings.out, strict=True)]
    return told
