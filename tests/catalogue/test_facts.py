"""Facts of the catalogue that others build on: subjects of the README, products, hosts that only a pattern reaches."""

import re
from pathlib import Path

import pytest

from sinkhole.policy.subject import Subject, SubjectKind
from tests.catalogue.world import is_blocked, shipped, verdict

ROOT = Path(__file__).parents[2]
DEFAULT = [
    ("chatgpt.com", "openai/chat"),
    ("cdn.oaistatic.com", "openai/chat"),
    ("api.openai.com", "openai/api"),
    ("auth.openai.com", "openai/sites"),
    ("sora.chatgpt.com", "openai/video"),
    ("claude.ai", "anthropic/chat"),
    ("api.anthropic.com", "anthropic/api"),
    ("gemini.google.com", "google-gemini/chat"),
    ("generativelanguage.googleapis.com", "google-gemini/api"),
    ("europe-west4-aiplatform.googleapis.com", "google-gemini/vertex"),
    ("copilot.microsoft.com", "microsoft-copilot/chat"),
    ("contoso.openai.azure.com", "microsoft-copilot/azure-openai"),
    ("bedrock-runtime.eu-north-1.amazonaws.com", "amazon-ai/bedrock"),
    ("bedrock-mantle.us-east-1.api.aws", "amazon-ai/bedrock"),
    ("q.eu-central-1.amazonaws.com", "amazon-ai/q"),
    ("api.individual.githubcopilot.com", "github-copilot/coding"),
    ("api2.cursor.sh", "cursor/coding"),
    ("grok.com", "xai/chat"),
    ("www.meta.ai", "meta-ai/chat"),
    ("api.mistral.ai", "mistral/api"),
    ("www.perplexity.ai", "perplexity/search"),
    ("www.doubao.com", "bytedance-doubao/chat"),
    ("ark.cn-beijing.volces.com", "bytedance-doubao/api"),
    ("chat.qwen.ai", "alibaba-qwen/chat"),
    ("dashscope.aliyuncs.com", "alibaba-qwen/api"),
    ("api.moonshot.cn", "moonshot/api"),
    ("api.z.ai", "zhipu/api"),
    ("huggingface.co", "huggingface/hub"),
    ("openrouter.ai", "openrouter/api"),
]


@pytest.mark.parametrize(("name", "product"), DEFAULT)
def test_hosts_are_blocked_as_the_product_they_belong_to(name, product):
    found = verdict(name, "ai")
    assert found.product == product
    assert is_blocked(name, f"product:{product}")
    assert is_blocked(name, "ai")


def test_blocked_api_leaves_chat_reachable():
    assert not is_blocked("chatgpt.com", "product:openai/api")
    assert not is_blocked("api.openai.com", "product:openai/chat")


@pytest.mark.parametrize("vendor", ["grammarly", "apple-intelligence", "brave-leo", "remove-bg"])
def test_mixed_purpose_vendors_are_blocked_only_by_name(vendor):
    name = next(d.name for p in shipped().by_id[vendor].products for d in p.domains if not d.opt_in)
    assert not is_blocked(name, "ai")
    assert is_blocked(name, f"vendor:{vendor}")


@pytest.mark.parametrize(
    "product",
    ["xai/in-x", "microsoft-copilot/bing", "google-gemini/ai-mode", "meta-ai/in-apps", "notion-ai/ai", "canva-ai/ai"],
)
def test_products_that_dns_cannot_tell_apart_say_what_helps(product):
    found = shipped().products[product]
    assert not found.separable
    assert found.domains == ()
    assert found.note


def test_subjects_in_the_readme_exist():
    known = shipped()
    text = (ROOT / "README.md").read_text()
    words = re.findall(r"(?:vendor|product|category|jurisdiction):[\w/-]+", text)
    subjects = {Subject.from_text(word) for word in words}
    assert subjects
    names = {
        SubjectKind.VENDOR: set(known.by_id),
        SubjectKind.PRODUCT: set(known.products),
        SubjectKind.CATEGORY: set(known.categories),
        SubjectKind.JURISDICTION: set(known.jurisdictions),
    }
    assert [str(subject) for subject in subjects if subject.value not in names[subject.kind]] == []
    assert {"deepseek", "mistral", "github-copilot"} <= names[SubjectKind.VENDOR]
    assert "openai/api" in names[SubjectKind.PRODUCT]


def test_every_category_has_a_product():
    used = {category for product in shipped().products.values() for category in product.categories}
    assert set(shipped().categories) - used <= {"security"}


def test_sources_and_notes_are_written_for_readers():
    jargon = re.compile(r"evidence only|dossier|\.json|index id|szkane-ai|laylavish-noai|fmhy-ai|\.\./shared")
    for vendor in shipped().vendors:
        texts = [vendor.source, vendor.note or ""]
        texts += [text for p in vendor.products for text in (p.note or "", *(d.source for d in p.domains))]
        assert [text for text in texts if jargon.search(text)] == [], vendor.id


def test_names_of_sources_are_explained():
    legend = (ROOT / "blocklists" / "README.md").read_text()
    for vendor in shipped().vendors:
        if vendor.source.startswith("Named by "):
            for source in re.sub(r"( and \d+ more)?(;.*)?$", "", vendor.source.removeprefix("Named by ")).split(", "):
                assert f"| {source} |" in legend, (vendor.id, source)
