"""Invented names: companies from neutral syllables, people by their job and a number."""

from typing import Final

import numpy as np

__all__ = ["COMPETITORS", "INDUSTRIES", "PLACES", "REGIONS", "company_names", "crew", "moved_to_names"]

_FIRST = ("Al", "Bor", "Cas", "Dor", "El", "Fen", "Gar", "Hol", "Is", "Jun", "Kel", "Lor", "Mar", "Nor", "Or", "Pel")
_FIRST2 = (
    "Quin",
    "Ros",
    "Sel",
    "Tam",
    "Ul",
    "Ver",
    "Wen",
    "Yar",
    "Zel",
    "Bri",
    "Cro",
    "Dra",
    "Gle",
    "Pra",
    "Sto",
    "Tre",
)
_MIDDLE = ("a", "e", "i", "o", "an", "en", "in", "or", "ul", "ave", "ila", "omi", "eru", "asti", "ondo", "imar")
_LAST = (
    "bek",
    "dal",
    "dine",
    "fort",
    "gen",
    "hart",
    "lund",
    "mere",
    "nova",
    "quay",
    "rin",
    "sett",
    "thal",
    "vane",
    "wick",
    "zen",
)
_KIND = {
    "Fashion": ("Apparel", "Textiles", "Footwear", "Outfitters"),
    "Home & living": ("Home", "Interiors", "Furnishings", "Living"),
    "Food & drink": ("Foods", "Pantry", "Roasters", "Provisions"),
    "Industrial supply": ("Supply", "Tools", "Components", "Fasteners"),
    "Health & beauty": ("Care", "Naturals", "Wellness", "Cosmetics"),
    "Electronics": ("Devices", "Audio", "Lighting", "Electronics"),
}
INDUSTRIES: Final = tuple(_KIND)
REGIONS: Final = ("Americas", "EMEA", "APAC")
PLACES: Final = (
    (("US", "America/New_York"), ("US", "America/Chicago"), ("CA", "America/Toronto"), ("BR", "America/Sao_Paulo")),
    (("DE", "Europe/Berlin"), ("FR", "Europe/Paris"), ("NL", "Europe/Amsterdam"), ("GB", "Europe/London")),
    (("AU", "Australia/Sydney"), ("JP", "Asia/Tokyo"), ("SG", "Asia/Singapore"), ("NZ", "Pacific/Auckland")),
)
"""Country and time zone per region."""
COMPETITORS: Final = ("Rival A", "Rival B", "Rival C", "Spreadsheets", "Own build")


def company_names(rng: np.random.Generator, industries: list[str]) -> list[str]:
    """Return one name per industry given, no two alike."""
    first, seen, found = (*_FIRST, *_FIRST2), set(), []
    for industry in industries:
        while True:
            a, b, c, d = rng.integers(0, (len(first), len(_MIDDLE), len(_LAST), len(_KIND[industry])))
            name = f"{first[a]}{_MIDDLE[b]}{_LAST[c]} {_KIND[industry][d]}"
            if name not in seen:
                break
        seen.add(name)
        found.append(name)
    return found


def moved_to_names(rng: np.random.Generator, count: int) -> list[str]:
    """Return companies that people left for; they are no customers."""
    return [name + " Group" for name in company_names(rng, list(rng.choice(INDUSTRIES, count)))]


def crew(job: str, accounts: int, each: int, least: int) -> list[str]:
    """Return so many people of one job that each has about `each` accounts: 'CSM 1', 'CSM 2', …"""
    return [f"{job} {number}" for number in range(1, max(least, round(accounts / each)) + 1)]
