"""The catalogue and the reference page are generated from the spec's Markdown.

    python conformance/tools/build_catalogue.py            write both
    python conformance/tools/build_catalogue.py --check    fail when one of them is stale

A requirement is an H4 heading that is its id, one blockquote with the sentence, and a bullet list
with a fixed set of keys. Everything else in a chapter is free text. The chapters are read as
tokens, never with a pattern over the raw text, so a ``#`` or ``?`` in a sentence ends nothing.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from responses_ws_schemas import BASE_URL

SPEC_VERSION: Final = "0.1"
ROOT: Final = Path(__file__).resolve().parents[2]
CATALOGUE: Final = Path("conformance/responses_ws_conformance/catalogue/requirements.json")
REFERENCE_PAGE: Final = Path("spec/reference/requirements.md")

ID: Final = re.compile(r"RWS-([A-Z]+)-(\d{3})")
EVIDENCE_KIND: Final = re.compile(r"(?:^|,)\s*(\w+) \($")
LEVELS: Final = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT")
KINDS: Final = ("documented", "typed", "observed", "chosen")
REQUIRED_KEYS: Final = ("Role", "Feature", "Since", "Evidence")
OPTIONAL_KEYS: Final = ("Also", "Condition", "Lever", "Dialect", "Schema", "Not judged")
AREAS: Final = {
    "01-connection": ("CONN",),
    "02-framing": ("FRAME",),
    "03-create": ("CREATE",),
    "04-events": ("EVENT", "ITEM"),
    "05-continuation": ("CHAIN",),
    "06-tools": ("TOOL",),
    "07-concurrency": ("TURN",),
    "08-errors": ("ERROR",),
    "09-lifetime": ("LIMIT",),
    "10-clients": ("CLIENT",),
    "11-storage": ("STORE",),
    "12-warm-up": ("WARM",),
    "13-lanes": ("LANE",),
    "14-steering": ("STEER",),
    "15-interrupt": ("INTR",),
    "16-custom-tools": ("CUSTOM",),
    "17-reasoning": ("REASON",),
    "18-compaction": ("COMPACT",),
    "19-http": ("HTTP",),
    "20-injection": ("INJECT",),
}


class SpecError(Exception):
    """A chapter breaks the form of a requirement; the message says where."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Who says so, and the public address where they say it."""

    kind: str
    source: str
    url: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row of the catalogue, in the order of its keys there."""

    id: str
    level: str
    role: str
    feature: str
    text: str
    section: str
    chapter: str
    anchor: str
    since: str
    evidence: tuple[Evidence, ...]
    also: str | None
    condition: str | None
    lever: str | None
    dialect: str | None
    schema: str | None
    not_judged: str | None
    explanation: str


@dataclass(slots=True)
class Chapter:
    """The tokens of one chapter and the place reached in them."""

    name: str
    tokens: Sequence[Token]
    at: int = 0

    def error(self, message: str) -> SpecError:
        """The error, with the line of the last block that was reached."""
        starts = [token.map[0] + 1 for token in self.tokens[: self.at + 1] if token.map]
        return SpecError(f"spec/{self.name}.md:{starts[-1] if starts else 1}: {message}")

    def take_block(self, kind: str) -> list[Token]:
        """The tokens inside the block that starts here, which is of this kind."""
        if self.at >= len(self.tokens) or self.tokens[self.at].type != f"{kind}_open":
            raise self.error(f"a {kind.replace('_', ' ')} belongs here")
        level = self.tokens[self.at].level
        start = self.at + 1
        self.at = start
        while self.tokens[self.at].level != level:
            self.at += 1
        inside = list(self.tokens[start : self.at])
        self.at += 1
        return inside


def read_requirements(spec: Path) -> list[Requirement]:
    """All requirements of the chapters, in the order of the spec; no id comes twice."""
    requirements: list[Requirement] = []
    seen: set[str] = set()
    for name in AREAS:
        text = (spec / f"{name}.md").read_text("utf-8")
        chapter = Chapter(name, MarkdownIt("commonmark").parse(text))
        for requirement in chapter_requirements(chapter):
            if requirement.id in seen:
                raise chapter.error(f"{requirement.id} is defined twice")
            seen.add(requirement.id)
            requirements.append(requirement)
    return requirements


def chapter_requirements(chapter: Chapter) -> Iterator[Requirement]:
    """The requirements of one chapter, each with the section that it stands in."""
    section = ""
    while chapter.at < len(chapter.tokens):
        token = chapter.tokens[chapter.at]
        if token.type != "heading_open":
            chapter.at += 1
            continue
        title = plain(chapter.take_block("heading"))
        if token.tag == "h4":
            yield read_requirement(chapter, title, section)
        else:
            section = title


def read_requirement(chapter: Chapter, title: str, section: str) -> Requirement:
    """The requirement whose heading has just been taken."""
    match = ID.fullmatch(title)
    if match is None or match[1] not in AREAS[chapter.name]:
        raise chapter.error(f"{title!r} is not an id of this chapter")
    level, text = read_sentence(chapter)
    keys = read_keys(chapter)
    return Requirement(
        id=title,
        level=level,
        role=plain(keys["Role"]),
        feature=plain(keys["Feature"]),
        text=text,
        section=section,
        chapter=chapter.name,
        anchor=title.lower(),
        since=plain(keys["Since"]),
        evidence=tuple(read_evidence(chapter, keys["Evidence"])),
        **{
            key.lower().replace(" ", "_"): plain(keys[key]) if key in keys else None
            for key in OPTIONAL_KEYS
        },
        explanation=read_explanation(chapter),
    )


def read_sentence(chapter: Chapter) -> tuple[str, str]:
    """The level and the plain sentence of the blockquote that stands here."""
    inside = chapter.take_block("blockquote")
    bold = strong_texts(inside)
    if len(bold) != 1 or bold[0] not in LEVELS:
        raise chapter.error(f"one bold keyword of RFC 2119 belongs in the sentence, not {bold}")
    return bold[0], plain(inside)


def read_keys(chapter: Chapter) -> dict[str, list[Token]]:
    """The inline tokens behind each key of the bullet list that stands here."""
    keys: dict[str, list[Token]] = {}
    for token in chapter.take_block("bullet_list"):
        if token.type != "inline":
            continue
        children = list(token.children or [])
        key, colon, rest = children[0].content.partition(": ")
        if not colon or key in keys or key not in REQUIRED_KEYS + OPTIONAL_KEYS:
            raise chapter.error(f"{token.content!r} is not a key of a requirement")
        children[0] = Token("text", "", 0, content=rest)
        keys[key] = children
    missing = [key for key in REQUIRED_KEYS if key not in keys]
    if missing:
        raise chapter.error(f"keys are missing: {', '.join(missing)}")
    return keys


def read_explanation(chapter: Chapter) -> str:
    """The paragraphs that stand here, with an empty line between two; empty where none does."""
    paragraphs: list[str] = []
    while chapter.at < len(chapter.tokens) and chapter.tokens[chapter.at].type == "paragraph_open":
        paragraphs.append(plain(chapter.take_block("paragraph")))
    return "\n\n".join(paragraphs)


def read_evidence(chapter: Chapter, children: list[Token]) -> Iterator[Evidence]:
    """``kind ([source](address), note), …`` as evidence; at least one piece."""
    kind = url = source = ""
    count = 0
    for token in children:
        if token.type == "link_open":
            url = address(str(token.attrs["href"]))
        elif token.type == "text" and not url:
            match = EVIDENCE_KIND.search(token.content)
            kind = match[1] if match else ""
        elif token.type == "text" and ")" in token.content:
            note, _, rest = token.content.partition(")")
            yield Evidence(known_kind(chapter, kind), source + note, url)
            count += 1
            match = EVIDENCE_KIND.search(rest)
            kind, source, url = match[1] if match else "", "", ""
        else:
            source += token.content
    if count == 0 or url:
        raise chapter.error("the evidence reads: kind ([source](address)), …")


def known_kind(chapter: Chapter, kind: str) -> str:
    if kind not in KINDS:
        raise chapter.error(f"evidence is one of {', '.join(KINDS)}, not {kind!r}")
    return kind


def address(href: str) -> str:
    """A link to a page of the spec becomes its public address."""
    return BASE_URL + href.removesuffix(".md") + "/" if "://" not in href else href


def plain(tokens: Sequence[Token]) -> str:
    """The text in one line; of the Markdown only the ticks around code are kept."""
    parts: list[str] = []
    for token in tokens:
        if token.type == "inline":
            parts.append(plain(token.children or []))
        elif token.type == "softbreak":
            parts.append(" ")
        elif token.type == "code_inline":
            parts.append(f"`{token.content}`")
        else:
            parts.append(token.content)
    return "".join(parts).strip()


def strong_texts(tokens: Sequence[Token]) -> list[str]:
    """What stands in bold, piece by piece."""
    found: list[str] = []
    for token in tokens:
        children = token.children or []
        found += [
            children[place + 1].content
            for place, child in enumerate(children)
            if child.type == "strong_open"
        ]
    return found


def catalogue_text(requirements: Sequence[Requirement]) -> str:
    rows: list[dict[str, Any]] = [asdict(requirement) for requirement in requirements]
    catalogue = {"spec_version": SPEC_VERSION, "requirements": rows}
    return json.dumps(catalogue, indent=2, ensure_ascii=False) + "\n"


def reference_text(requirements: Sequence[Requirement], spec: Path) -> str:
    """One table per chapter; the id links to the sentence."""
    lines = [
        "# All requirements",
        "",
        "<!-- Generated by conformance/tools/build_catalogue.py. Do not edit. -->",
        "",
        f"Spec version {SPEC_VERSION}, {len(requirements)} requirements. "
        "[How to read it](../reading.md) explains the columns.",
    ]
    for chapter in AREAS:
        rows = [r for r in requirements if r.chapter == chapter]
        lines += ["", f"## {title(spec / f'{chapter}.md')}", ""]
        lines += ["| Id | Level | Sentence | Applies | Evidence |", "|---|---|---|---|---|"]
        lines += [reference_row(row) for row in rows]
    return "\n".join(lines) + "\n"


def title(chapter: Path) -> str:
    """What stands in the first line of a chapter, behind its mark."""
    return chapter.read_text("utf-8").partition("\n")[0].removeprefix("# ")


def reference_row(row: Requirement) -> str:
    applies = [row.role, row.feature]
    applies += [f"with {row.also}"] if row.also else []
    applies += [f"{row.condition}'s choice"] if row.condition else []
    applies += [f"lever {row.lever}"] if row.lever else []
    applies += [f"dialect {row.dialect}"] if row.dialect else []
    evidence = ", ".join(dict.fromkeys(e.kind for e in row.evidence))
    sentence = row.text.replace("|", "\\|")
    link = f"[{row.id}](../{row.chapter}.md#{row.anchor})"
    return f"| {link} | {row.level} | {sentence} | {', '.join(applies)} | {evidence} |"


def generated_files(spec: Path) -> dict[Path, str]:
    """Each generated file with what it must hold."""
    requirements = read_requirements(spec)
    return {
        CATALOGUE: catalogue_text(requirements),
        REFERENCE_PAGE: reference_text(requirements, spec),
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Generate requirements.json and its page.")
    parser.add_argument("--check", action="store_true", help="fail when a file is stale")
    arguments = parser.parse_args(argv)
    try:
        wanted = generated_files(ROOT / "spec")
    except SpecError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    stale = [
        path
        for path, text in wanted.items()
        if not (ROOT / path).exists() or (ROOT / path).read_text("utf-8") != text
    ]
    for path in stale:
        if not arguments.check:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(wanted[path], "utf-8")
        sys.stderr.write(f"{'stale' if arguments.check else 'written'}: {path}\n")
    return 1 if stale and arguments.check else 0


if __name__ == "__main__":
    raise SystemExit(main())
