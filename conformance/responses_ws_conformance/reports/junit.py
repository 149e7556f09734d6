"""JUnit XML: one test case for each requirement, with its level and address as properties.

A failure is what the run did not expect, in a strict run a broken SHOULD too: a known one is
skipped, and an entry of the baseline that is wrong fails whatever the verdict. The property
``verdict`` is the verdict in any case.
"""

from __future__ import annotations

from typing import Any, Final
from xml.etree import ElementTree as ET

SKIPPED: Final = ("unseen", "skip", "untestable")
COUNTS: Final = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def junit(report: dict[str, Any]) -> str:
    """The report as JUnit XML."""
    rows = report["requirements"]
    violated = ("fail", "warn") if report.get("strict") else ("fail",)
    suite = ET.Element(
        "testsuite",
        name="responses-ws-conformance",
        tests=str(len(rows)),
        time=str(report["duration_s"]),
        timestamp=report["started_at"],
    )
    known = {waiver["id"]: waiver["reason"] for waiver in report["waivers"]}
    unexpected = {each["id"]: each["sentence"] for each in report["discrepancies"]}
    _properties(suite, {name: report[name] for name in ("target", "suite_version", "spec_version")})
    for row in rows:
        case = ET.SubElement(suite, "testcase", classname=f"rws.{row['chapter']}", name=row["id"])
        facts = {"level": row["level"], "url": row["url"], "verdict": row["verdict"]}
        _properties(case, facts)
        if row["verdict"] in violated and row["id"] in known and row["id"] not in unexpected:
            reason = f"known and waived: {known[row['id']]}"
            ET.SubElement(case, "skipped", message=_clean(reason)).text = _clean(_story(row))
        elif row["verdict"] in violated or row["id"] in unexpected:
            why = unexpected.get(row["id"]) or row["findings"][0]["actual"]
            ET.SubElement(case, "failure", message=_clean(why)).text = _clean(_story(row))
        elif row["verdict"] == "error":
            ET.SubElement(case, "error", message=_clean(row["why"] or ""))
        elif row["verdict"] in SKIPPED:
            ET.SubElement(case, "skipped", message=_clean(f"{row['verdict']}: {row['why']}"))
        elif row["verdict"] == "warn":
            ET.SubElement(case, "system-out").text = _clean(_story(row))
    for attribute, tag in COUNTS.items():
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _properties(parent: ET.Element, values: dict[str, str]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=_clean(str(value)))


def _story(row: dict[str, Any]) -> str:
    lines = [row["text"], row["url"]]
    for finding in row["findings"]:
        where = f"{finding['transcript']}, entry {finding['entry']}"
        lines += [f"expected: {finding['expected']}", f"seen: {finding['actual']}", f"in: {where}"]
    return "\n".join([*lines, f"again: {row['again']}"])


def _clean(text: str) -> str:
    """The text without characters that XML 1.0 cannot hold."""
    return "".join(c if c in "\t\n\r" or (c >= " " and c.isprintable()) else "�" for c in text)
