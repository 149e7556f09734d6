"""SARIF 2.1.0: a rule for each requirement, a result for each finding."""

from __future__ import annotations

import json
from typing import Any, Final

from responses_ws_schemas import BASE_URL

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Final = {"fail": "error", "warn": "warning"}
# Line 1 of a transcript is its header, and entries count from 0.
FIRST_ENTRY_LINE: Final = 2


def sarif(report: dict[str, Any]) -> str:
    """The report as SARIF."""
    rows = report["requirements"]
    driver = {
        "name": "responses-ws-conformance",
        "version": report["suite_version"],
        "informationUri": BASE_URL,
        "rules": [_rule(row) for row in rows],
    }
    results = [
        _result(row, index, finding)
        for index, row in enumerate(rows)
        for finding in row["findings"]
        if row["verdict"] in LEVELS
    ]
    invocation = {
        "executionSuccessful": report["stopped"] is None,
        "startTimeUtc": report["started_at"],
    }
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": results}
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(row: dict[str, Any]) -> dict[str, Any]:
    level = "error" if row["level"].startswith("MUST") else "warning"
    return {
        "id": row["id"],
        "shortDescription": {"text": row["text"]},
        "helpUri": row["url"],
        "defaultConfiguration": {"level": level},
        "properties": {"feature": row["feature"], "verdict": row["verdict"]},
    }


def _result(row: dict[str, Any], index: int, finding: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": row["id"],
        "ruleIndex": index,
        "level": LEVELS[row["verdict"]],
        "message": {
            "text": f"{row['text']} Expected: {finding['expected']}. Seen: {finding['actual']}."
        },
    }
    if finding["transcript"]:
        region = {"startLine": finding["entry"] + FIRST_ENTRY_LINE}
        location = {"artifactLocation": {"uri": finding["transcript"]}, "region": region}
        result["locations"] = [{"physicalLocation": location}]
    return result
