"""Tasks only where they are needed: queries may take their steps without one."""

import asyncio


async def in_a_task() -> None:
    """Go on in a task, for what needs one: `asyncio.timeout`, and libraries that look for the task they are in."""
    if asyncio.current_task() is None:
        await asyncio.sleep(0)  # a bare yield: whoever takes the steps sees that there is nothing to wait for
