"""JUnit XML: one test case for each requirement, with its level and address as properties."""

from __future__ import annotations

from typing import Any, Final
from xml.etree import ElementTree as ET

SKIPPED: Final = ("unseen", "skip", "untestable")


def junit(report: dict[str, Any]) -> str:
    """The report as JUnit XML."""
    rows = report["requirements"]
    counts = report["summary"]
    suite = ET.Element(
        "testsuite",
        name="responses-ws-conformance",
        tests=str(len(rows)),
        failures=str(counts["fail"]),
        errors=str(counts["error"]),
        skipped=str(sum(counts[verdict] for verdict in SKIPPED)),
        time=str(report["duration_s"]),
        timestamp=report["started_at"],
    )
    _properties(suite, {name: report[name] for name in ("target", "suite_version", "spec_version")})
    for row in rows:
        case = ET.SubElement(suite, "testcase", classname=f"rws.{row['chapter']}", name=row["id"])
        facts = {"level": row["level"], "url": row["url"], "verdict": row["verdict"]}
        _properties(case, facts)
        if row["verdict"] == "fail":
            first = row["findings"][0]
            failure = ET.SubElement(case, "failure", message=_clean(first["actual"]))
            failure.text = _clean(_story(row))
        elif row["verdict"] == "error":
            ET.SubElement(case, "error", message=_clean(row["why"] or ""))
        elif row["verdict"] in SKIPPED:
            ET.SubElement(case, "skipped", message=_clean(f"{row['verdict']}: {row['why']}"))
        elif row["verdict"] == "warn":
            ET.SubElement(case, "system-out").text = _clean(_story(row))
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
