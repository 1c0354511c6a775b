"""The words of the page, in each of its languages; a language that lacks one does not load."""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Texts:
    """The words of one language. In braces stands what is put in: `{name}`, `{time}` …"""

    tag: str
    blocked_title: str
    coached_title: str
    open_title: str
    unnamed_title: str
    blocked_lead: str
    coached_lead: str
    open_lead: str
    unnamed_lead: str
    what: str
    of_vendor: str
    who: str
    who_nobody: str
    policy: str
    policy_words: str
    why: str
    why_unsaid: str
    basis: dict[str, str]
    basis_heading: str
    until: str
    by_way_of: str
    subjects: dict[str, str]
    actions: dict[str, str]
    everyone: str
    group: str
    device: str
    override: dict[str, str]
    instead: str
    instead_none: str
    notice: str
    go_on: str
    go_on_note: str
    ask: str
    ask_lead: str
    ask_reason: str
    ask_reason_hint: str
    ask_days: str
    days: dict[int, str]
    ask_send: str
    ask_stored: str
    contact: str
    reference: str
    reference_hint: str
    details: str
    your_address: str
    time: str
    generation: str
    error_code: str
    reload: str
    reload_hint: str
    granted_title: str
    granted_lead: str
    granted_open: str
    asked: str
    busy: str
    stale: str
    refused: str
    incomplete: str
    network: str
    categories: dict[str, str]
    """Names of categories, where the language has others than the catalogue."""


ENGLISH = Texts(
    tag="en",
    blocked_title="{name} is blocked",
    coached_title="Please read this before you use {name}",
    open_title="{name} is not blocked for you",
    unnamed_title="This is where blocked names lead",
    blocked_lead="This network does not open this address. Nothing is wrong with your device.",
    coached_lead="You may go on afterwards.",
    open_lead="Your device had an older answer, from when this address was blocked. Load the page again in a moment.",
    unnamed_lead="Whoever opens a name that this network blocks is shown here why. You came without a name.",
    what="What it is",
    of_vendor="{product} by {vendor}",
    who="Who decided",
    who_nobody="The operator of this network",
    policy="Policy",
    policy_words="{subject}: {action}",
    why="Why",
    why_unsaid="No reason was given.",
    basis={
        "operator": "The operator of this network wants it.",
        "law": "The operator must obey somebody outside, such as a court.",
        "request": "It was asked for by or for you, such as by a parent or the tenant of this network.",
    },
    basis_heading="At whose wish",
    until="Until",
    by_way_of="It is blocked because it leads to {via}.",
    subjects={
        "vendor": "Vendor {value}",
        "product": "Product {value}",
        "models": "Services with models of {value}",
        "category": "Category {value}",
        "jurisdiction": "Services from {value}",
        "bypass": "Ways round policy: {value}",
        "feed": "List {value}",
        "domain": "Domain {value}",
        "address": "Address {value}",
        "ai": "AI services",
        "lookalikes": "Names that imitate a service",
        "unreviewed": "Services that nobody has looked at yet",
    },
    actions={
        "block": "blocked for {scope}",
        "coach": "open for {scope} after reading a notice",
        "monitor": "open for {scope} and recorded",
        "allow": "open for {scope}",
    },
    everyone="everyone",
    group="the group {value}",
    device="this device",
    override={
        "lockdown": "Lockdown {value}",
        "exception": "Exception {value}",
        "pause": "Pause {value}",
        "grant": "Notice read",
    },
    instead="What you can use instead",
    instead_none="Nothing like it is approved yet. Ask the contact below.",
    notice="Notice",
    go_on="I have read this. Continue",
    go_on_note="You can then go on for {minutes} minutes. That you read this notice is recorded.",
    ask="Ask for an exception",
    ask_lead="Someone will look at your request. Until it is approved the address stays blocked.",
    ask_reason="What do you need it for?",
    ask_reason_hint="Up to {most} characters.",
    ask_days="For how long?",
    days={1: "1 day", 7: "7 days", 30: "30 days"},
    ask_send="Send request",
    ask_stored="Your reason and the address of your device ({client}) are stored with it.",
    contact="Contact",
    reference="Reference",
    reference_hint="Tell it to the contact, who can find this visit by it.",
    details="Technical details",
    your_address="Address of your device",
    time="Time",
    generation="Policy generation",
    error_code="Extended DNS error",
    reload="Load the page again",
    reload_hint="If this page comes back, wait a minute: browsers keep answers for so long.",
    granted_title="You may go on until {time}",
    granted_lead="{name} is open for your device now.",
    granted_open="Open {name}",
    asked="Your request has number {number}. Someone will look at it; the address stays blocked until then.",
    busy="That was a little often. Please try again in a few minutes.",
    stale="This form was too old. Please send it again from here.",
    refused="This could not be done now. Load the page again; if it stays so, tell the contact the reference.",
    incomplete="Please say in a few words what you need it for.",
    network="Network policy",
    categories={},
)

GERMAN = Texts(
    tag="de",
    blocked_title="{name} ist gesperrt",
    coached_title="Bitte lesen, bevor Sie {name} benutzen",
    open_title="{name} ist für Sie nicht gesperrt",
    unnamed_title="Hierher führen gesperrte Namen",
    blocked_lead="Dieses Netz öffnet diese Adresse nicht. Ihr Gerät ist in Ordnung.",
    coached_lead="Danach können Sie weitermachen.",
    open_lead="Ihr Gerät hatte noch eine ältere Antwort, aus der Zeit der Sperre. Laden Sie die Seite gleich neu.",
    unnamed_lead="Wer einen Namen öffnet, den dieses Netz sperrt, erfährt hier den Grund. Sie kamen ohne Namen.",
    what="Worum es geht",
    of_vendor="{product} von {vendor}",
    who="Wer das entschieden hat",
    who_nobody="Der Betreiber dieses Netzes",
    policy="Regel",
    policy_words="{subject}: {action}",
    why="Warum",
    why_unsaid="Ein Grund wurde nicht angegeben.",
    basis={
        "operator": "Der Betreiber dieses Netzes will es so.",
        "law": "Der Betreiber muss jemandem außerhalb gehorchen, etwa einem Gericht.",
        "request": "Es wurde von Ihnen oder für Sie gewünscht, etwa von Eltern oder dem Mieter dieses Netzes.",
    },
    basis_heading="Auf wessen Wunsch",
    until="Bis",
    by_way_of="Gesperrt, weil es zu {via} führt.",
    subjects={
        "vendor": "Anbieter {value}", "product": "Produkt {value}", "models": "Dienste mit Modellen von {value}",
        "category": "Kategorie {value}", "jurisdiction": "Dienste aus {value}", "bypass": "Umgehungswege: {value}",
        "feed": "Liste {value}", "domain": "Domain {value}", "address": "Adresse {value}", "ai": "KI-Dienste",
        "lookalikes": "Namen, die einen Dienst nachahmen", "unreviewed": "Dienste, die noch niemand geprüft hat",
    },
    actions={
        "block": "gesperrt für {scope}", "coach": "offen für {scope} nach dem Lesen eines Hinweises",
        "monitor": "offen für {scope}, aufgezeichnet", "allow": "offen für {scope}",
    },
    everyone="alle",
    group="die Gruppe {value}",
    device="dieses Gerät",
    override={
        "lockdown": "Notsperre {value}", "exception": "Ausnahme {value}", "pause": "Pause {value}",
        "grant": "Hinweis gelesen",
    },
    instead="Was Sie stattdessen nutzen können",
    instead_none="Noch ist nichts Vergleichbares freigegeben. Fragen Sie die Kontaktstelle unten.",
    notice="Hinweis",
    go_on="Ich habe das gelesen. Weiter",
    go_on_note="Danach können Sie {minutes} Minuten lang weitermachen. Dass Sie das gelesen haben, wird festgehalten.",
    ask="Eine Ausnahme beantragen",
    ask_lead="Jemand sieht sich Ihren Antrag an. Bis er bewilligt ist, bleibt die Adresse gesperrt.",
    ask_reason="Wofür brauchen Sie es?",
    ask_reason_hint="Bis zu {most} Zeichen.",
    ask_days="Für wie lange?",
    days={1: "1 Tag", 7: "7 Tage", 30: "30 Tage"},
    ask_send="Antrag senden",
    ask_stored="Ihre Begründung und die Adresse Ihres Geräts ({client}) werden damit gespeichert.",
    contact="Kontakt",
    reference="Kennung",
    reference_hint="Nennen Sie sie der Kontaktstelle, die damit diesen Besuch findet.",
    details="Technische Angaben",
    your_address="Adresse Ihres Geräts",
    time="Zeit",
    generation="Stand der Regeln",
    error_code="Erweiterter DNS-Fehler",
    reload="Seite neu laden",
    reload_hint="Kommt diese Seite wieder, warten Sie eine Minute: So lange behalten Browser Antworten.",
    granted_title="Sie können bis {time} weitermachen",
    granted_lead="{name} ist jetzt für Ihr Gerät offen.",
    granted_open="{name} öffnen",
    asked="Ihr Antrag hat die Nummer {number}. Jemand sieht ihn sich an; bis dahin bleibt die Adresse gesperrt.",
    busy="Das war etwas oft. Bitte versuchen Sie es in einigen Minuten noch einmal.",
    stale="Dieses Formular war zu alt. Bitte senden Sie es von hier noch einmal.",
    refused="Das ging jetzt nicht. Laden Sie die Seite neu; bleibt es dabei, nennen Sie der Kontaktstelle die Kennung.",
    incomplete="Bitte sagen Sie in einigen Worten, wofür Sie es brauchen.",
    network="Regeln dieses Netzes",
    categories={
        "agent": "Agenten", "aggregator": "Modellzugang", "aibrowser": "KI-Browser", "api": "Schnittstellen",
        "chat": "Chat-Assistenten", "coding": "Programmieren", "companion": "Begleiter", "detector": "KI-Erkennung",
        "education": "Bildung", "image": "Bilder", "inference": "Modelle betreiben", "labeling": "Daten annotieren",
        "meeting": "Protokolle", "mirror": "Spiegel", "modelhub": "Modellsammlungen", "music": "Musik",
        "productivity": "Büroarbeit", "research": "Forschung", "search": "KI-Suche", "security": "KI-Sicherheit",
        "telemetry": "Hilfsdienste", "translation": "Übersetzung", "video": "Videos", "voice": "Sprache",
        "writing": "Schreiben",
    },
)  # fmt: skip

TEXTS = MappingProxyType({texts.tag: texts for texts in (ENGLISH, GERMAN)})
