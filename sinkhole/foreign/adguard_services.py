"""Which of AdGuard's services are AI, and what they are called in our catalogue."""

from types import MappingProxyType
from typing import Final

SUBJECTS: Final = MappingProxyType({
    "chatgpt": "vendor:openai",
    "claude": "vendor:anthropic",
    "copilot": "product:microsoft-copilot/chat",
    "deepseek": "vendor:deepseek",
    "dola": "product:bytedance-intl/chat",
    "gemini": "product:google-gemini/chat",
    "grok": "vendor:xai",
    "manus": "vendor:manus",
    "meta_ai": "product:meta-ai/chat",
    "perplexity": "vendor:perplexity",
    "question_ai": "vendor:questionai",
    "qwen": "vendor:alibaba-qwen",
})  # fmt: skip
"""Identifier of the service to the subject that its domains are most nearly: a vendor where it takes the vendor's main
domain, else the product."""
