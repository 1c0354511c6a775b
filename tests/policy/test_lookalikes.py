"""Names that imitate a vendor are told, with how and why; honest names are not."""

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy import lookalikes as lookalikes_module
from sinkhole.policy.brand import Brand, BrandKind
from sinkhole.policy.confusables import skeleton
from sinkhole.policy.lookalikes import BrandBook, Imitation, ImitationKind, Lookalikes, without_last
from sinkhole.protocol.names import MAX_NAME, ROOT, fold, name_from_text

BESIDE = ("ai", "api", "app", "chat", "gpt", "login")
BOOK = BrandBook(
    brands=(
        Brand("deepseek", "deepseek", BrandKind.DISTINCTIVE, BESIDE, ("deepseek.com",)),
        Brand("openai", "chatgpt", BrandKind.DISTINCTIVE, BESIDE, ("chatgpt.com",)),
        Brand("openai", "openai", BrandKind.DISTINCTIVE, BESIDE, ("openai.com", "openai.azure.com")),
        Brand("huggingface", "huggingface", BrandKind.DISTINCTIVE, BESIDE),
        Brand("midjourney", "midjourney", BrandKind.DISTINCTIVE, BESIDE),
        Brand("qwen", "qwen", BrandKind.WHOLE, BESIDE, ("qwen.ai",)),
        Brand("lmstudio", "lmstudio", BrandKind.WHOLE, BESIDE),
        Brand("anthropic", "anthropic", BrandKind.DISTINCTIVE, BESIDE),
        Brand("anthropic", "claude", BrandKind.COMMON, (*BESIDE, "opus"), ("claude.ai",)),
        Brand("google-gemini", "gemini", BrandKind.COMMON, ("ai", "google"), ("gemini.google.com",)),
        Brand("perplexity", "perplexity", BrandKind.COMMON, BESIDE),
        Brand("poe", "poe", BrandKind.COMMON, BESIDE),
    ),
    companions=BESIDE,
    leads=("get", "my", "www"),
    suffixes=("ai", "chat"),
    innocents=("openair", "open-air", "openapi", "philanthropic", "imstudio", "openal.org", "deepsee"),
)
GUARD = Lookalikes(BOOK)
BRAND, TYPO, CONFUSABLE = ImitationKind.BRAND, ImitationKind.TYPO, ImitationKind.CONFUSABLE
SUBDOMAIN, EMBEDDED = ImitationKind.SUBDOMAIN, ImitationKind.EMBEDDED


def find(text: str) -> Imitation | None:
    return GUARD.find(fold(name_from_text(text)))


@pytest.mark.parametrize(
    ("name", "kind", "vendor", "reason"),
    [
        ("deepseek.shop", BRAND, "deepseek", "deepseek under another suffix"),
        ("deepseek.co.uk", BRAND, "deepseek", "deepseek under another suffix"),
        ("www.deepseek.com.cn", BRAND, "deepseek", "deepseek under another suffix"),
        ("deep-seek.fi", BRAND, "deepseek", "deepseek under another suffix"),
        ("get.deep_seek.fi", BRAND, "deepseek", "deepseek under another suffix"),
        ("deepseek-login.com", BRAND, "deepseek", "deepseek beside login"),
        ("huaweideepseekai.top", BRAND, "deepseek", "deepseek beside huawei, ai"),
        ("deepseekr1.world", BRAND, "deepseek", "deepseek beside r1"),
        ("free-chat-gpt.net", BRAND, "openai", "chatgpt beside free"),
        ("DeepSeek\\000Login.example", BRAND, "deepseek", "deepseek beside login"),
        ("qwen.shop", BRAND, "qwen", "qwen under another suffix"),
        ("qwen3-vip.com", BRAND, "qwen", "qwen beside 3, vip"),
        ("qwenlogin.com", BRAND, "qwen", "qwen beside login"),
        ("appqwen.com", BRAND, "qwen", "qwen beside app"),
        ("claude-login.com", BRAND, "anthropic", "claude beside login"),
        ("claude3-opus.net", BRAND, "anthropic", "claude beside 3, opus"),
        ("claudechat.net", BRAND, "anthropic", "claude beside chat"),
        ("chatclaude.net", BRAND, "anthropic", "claude beside chat"),
        ("claude.chat", BRAND, "anthropic", "claude under another suffix"),
        ("poe-app.com", BRAND, "poe", "poe beside app"),
        ("deepsek.com", TYPO, "deepseek", "edit distance 1 from deepseek"),
        ("deep-sek.com", TYPO, "deepseek", "edit distance 1 from deepseek"),
        ("deepsekai.com", TYPO, "deepseek", "edit distance 1 from deepseek"),
        ("deepseke2025.net", TYPO, "deepseek", "edit distance 1 from deepseek"),
        ("wwwchatgtp.com", TYPO, "openai", "edit distance 1 from chatgpt"),
        ("hugingfaces.co", TYPO, "huggingface", "edit distance 2 from huggingface"),
        ("openia.com", TYPO, "openai", "edit distance 1 from openai"),
        ("opneai.com", TYPO, "openai", "edit distance 1 from openai"),
        ("oppenai.com", TYPO, "openai", "edit distance 1 from openai"),
        ("opanai-login.com", TYPO, "openai", "edit distance 1 from openai"),
        ("perplexty-app.com", TYPO, "perplexity", "edit distance 1 from perplexity"),
        ("perplexlty.ai", CONFUSABLE, "perplexity", "confusable letters for perplexity"),
        ("perplexty.ai", TYPO, "perplexity", "edit distance 1 from perplexity"),
        ("deepsek.evil.example", TYPO, "deepseek", "edit distance 1 from deepseek"),
        ("0penai.com", CONFUSABLE, "openai", "confusable letters for openai"),
        ("openal.com", CONFUSABLE, "openai", "confusable letters for openai"),
        ("d33pseekfriends.com", CONFUSABLE, "deepseek", "confusable letters for deepseek"),
        ("rnidjourney.com", CONFUSABLE, "midjourney", "confusable letters for midjourney"),
        ("1mstudio.com", CONFUSABLE, "lmstudio", "confusable letters for lmstudio"),
        ("c1aude-ai.com", CONFUSABLE, "anthropic", "confusable letters for claude"),
        ("c1aude.ai", CONFUSABLE, "anthropic", "confusable letters for claude"),
        ("dеepseek.com", CONFUSABLE, "deepseek", "confusable letters for deepseek"),
        ("déepseekclub.com", CONFUSABLE, "deepseek", "confusable letters for deepseek"),
        ("сlaude.com", CONFUSABLE, "anthropic", "confusable letters for claude"),
        ("deepseek中文.com", BRAND, "deepseek", "deepseek under another suffix"),
        ("deepséék中文-login.com", CONFUSABLE, "deepseek", "confusable letters for deepseek"),
        ("deepseek.evil.example", SUBDOMAIN, "deepseek", "deepseek in a label below evil.example"),
        ("chatgpt-login.user.evil.co.uk", SUBDOMAIN, "openai", "chatgpt in a label below evil.co.uk"),
        ("deepseek.\\001.example", SUBDOMAIN, "deepseek", "deepseek in a label below \\001.example"),
        ("deepseek.com.evil.example", EMBEDDED, "deepseek", "deepseek.com below evil.example"),
        ("chat.deepseek.com.corp.example", EMBEDDED, "deepseek", "deepseek.com below corp.example"),
        ("contoso.openai.azure.com.corp.example", EMBEDDED, "openai", "openai.azure.com below corp.example"),
        ("claude.ai.corp.example", EMBEDDED, "anthropic", "claude.ai below corp.example"),
        ("gemini.google.com.corp.example", EMBEDDED, "google-gemini", "gemini.google.com below corp.example"),
    ],
)
def test_imitation_is_told_with_its_kind_and_reason(name, kind, vendor, reason):
    found = find(name)
    assert found is not None
    assert (found.kind, found.vendor, found.reason) == (kind, vendor, reason)
    assert found.brand in reason.replace(".", " ").split()


@pytest.mark.parametrize(
    "name",
    [
        ".",
        "com",
        "www.example.org",
        "deepseek",
        "deepseek.local",
        "openai.home.arpa",
        "1.0.0.127.deepseek.in-addr.arpa",
        "deepsea-research.org",
        "keepsake.org",
        "claude.com",
        "jean-claude.fr",
        "claudette-app.com",
        "claude.evil.example",
        "c1aude.com",
        "gemini-login.com",
        "perplexty.com",
        "poetry-app.org",
        "рое.com",
        "filmstudio.se",
        "film-studio.se",
        "hide-open-all.net",
        "opanai.com",
        "opanai.ai",
        "open-air-kino.ch",
        "unblock.openairwil.ch",
        "openapi.example.org",
        "open-api.example.org",
        "philanthropic.org",
        "imstudio.com",
        "deepsee.com",
        "www.openal.org",
        "пример.example",
        "xn--99999999.example",
    ],
)
def test_honest_name_is_no_imitation(name):
    assert find(name) is None


def test_label_nearest_the_registered_one_is_told():
    found = find("claude-login.deepseek-login.com")
    assert found is not None
    assert found.brand == "deepseek"


def test_innocent_word_hides_no_brand_beside_it():
    assert find("openair-deepseek.com") is not None


def test_empty_book_finds_nothing():
    assert Lookalikes(BrandBook(())).find(name_from_text("deepseek.shop")) is None


labels = st.one_of(
    st.binary(min_size=1, max_size=63),
    st.binary(max_size=59).map(lambda rest: b"xn--" + rest),
    st.text("deepskclaugmino013-_~?", min_size=1, max_size=63).map(str.encode),
    st.lists(
        st.sampled_from([b"deepseek", b"openai", b"claude", b"-", b"1", b"ai", b"xn--", b"com"]), min_size=1, max_size=6
    )
    .map(b"".join)
    .map(lambda label: label[:63]),
)


@given(st.lists(labels, max_size=8))
def test_any_name_gives_a_value(parts):
    """R-L10: whatever is asked for, the guard answers; the reason is fit to be shown."""
    while sum(len(part) + 1 for part in parts) >= MAX_NAME:
        parts.pop()
    found = GUARD.find(fold(b"".join(bytes((len(part),)) + part for part in parts) + ROOT))
    assert found is None or (found.reason.isprintable() and found.reason.isascii())


@pytest.mark.parametrize(
    "name",
    [
        b"\x01a" * 127,
        b"\x06gemini" * 36,
        b"\x04xn--" * 50,
        (b"\x3f" + b"claudexx-" * 7) * 3,
        (b"\x3f" + b"deepsea" * 9) * 3,
        (b"\x3f" + b"mymygetmymy" * 5 + b"deepsexx") * 3,
        (b"\x3fxn--a-" + b"k" * 57) * 3,
        (b"\x3fxn--" + b"9" * 59) * 3,
    ],
)
def test_hostile_name_costs_little(name):
    """A tenth of a millisecond is usual; the limit leaves room for a busy machine."""
    took = []
    for _ in range(5):
        start = time.perf_counter()
        GUARD.find(name + ROOT)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.02


@pytest.mark.interpreted
def test_names_that_imitate_nobody_are_remembered_within_a_bound(monkeypatch):
    monkeypatch.setattr(lookalikes_module, "_MAX_PLAIN", 3)
    monkeypatch.setattr(lookalikes_module, "_MAX_LATEST", 2)
    guard = Lookalikes(BOOK)
    names = [name_from_text(f"n.x{number}.example.org") for number in range(8)]
    for name in names:
        assert guard.find(name) is None
        assert guard.find(name) is None
        assert len(guard._plain) <= 3
        assert len(guard._latest) <= 2
    assert guard.find(name_from_text("deepseek-login.example")) is not None


@pytest.mark.thousands
def test_what_is_remembered_changes_nothing():
    random = Random(5)
    words = [
        "deepseek", "deepsek", "0penai", "xn--80ak6aa92e", "login", "www", "a", "cdn-7", "m" * 45, "com", "co", "uk",
    ]  # fmt: skip
    guard = Lookalikes(BOOK)
    for _ in range(3000):
        labels = [random.choice(words) for _ in range(random.randint(1, 4))]
        if random.random() < 0.3:
            labels[0] = f"{labels[0]}-{random.choice(words)}"[:63]
        name = name_from_text(".".join(labels))
        assert guard.find(name) == Lookalikes(BOOK).find(name) == guard.find(name)


def test_nothing_that_needs_a_closer_look_falls_through_the_sieve():
    random = Random(6)
    tokens = [brand.token for brand in BOOK.brands]
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-_"
    for _ in range(20_000):
        word = list(random.choice(tokens))
        for _ in range(random.randrange(3)):
            at = random.randrange(len(word))
            word[at : at + random.randrange(3)] = random.choices(letters, k=random.randrange(3))
            word = word or ["x"]
        text = "".join([*random.choices(letters, k=random.randrange(4)), *word, *random.choices(letters, k=2)]).encode()
        for changed in (text, text.replace(b"m", b"rn"), text.replace(b"o", b"0"), text.replace(b"l", b"i")):
            bones = skeleton(changed)
            is_found, is_slip = GUARD._brands.search(bones), bool(GUARD._typos.find(changed))
            assert GUARD._bones.passes(bones) or not is_found, changed
            assert GUARD._typos.has_slip(changed) is is_slip, changed
            assert GUARD._sieve.passes(changed) or not (is_found or is_slip), changed


@pytest.mark.parametrize("length", [44, 45, 46])
def test_label_whose_length_is_the_octet_of_a_joiner_is_looked_at_alone(length):
    """In wire form that length is `-`, and joined with the label before it would hide where its word begins."""
    name = name_from_text(f"qqqq.{'deep-sek'.ljust(length, '9')}.example")
    found = Lookalikes(BOOK).find(name)
    assert found is not None
    assert found.kind is ImitationKind.TYPO


def test_top_level_domain_is_no_reason_for_a_closer_look():
    """`com` begins a brand, and half of all names are below it."""
    guard = Lookalikes(BrandBook((Brand("comet", "comet", BrandKind.WHOLE),)))
    assert guard._sieve.passes(b"\3com\0")
    assert without_last(name_from_text("www.shop.com")) == b"\3www\4shop"
    assert without_last(name_from_text("com")) == b""
    assert without_last(ROOT) == b""
    for name in ("shop.com", "com", "x.com.example"):
        assert guard.find(name_from_text(name)) is None
    assert guard.find(name_from_text("comet.example")) is not None
    assert guard.find(name_from_text("a.c0met.com")) is not None
