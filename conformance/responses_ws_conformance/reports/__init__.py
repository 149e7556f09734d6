"""The report of a run, and its forms, which are made from the JSON of ``report``.

junit      JUnit XML, one test case for each requirement
summary    Markdown, for the page of a CI job
sarif      SARIF 2.1.0, rules link to the requirement's page
html       one self-contained file, with the wire log of each scenario
statement  YAML, what can be verified from the transcripts, as ``verification`` does
terminal   text for people who run the command

``baseline`` is what a vendor knows to fail, ``excerpts`` are the frames that a finding needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from responses_ws_conformance.reports.html import html
from responses_ws_conformance.reports.junit import junit
from responses_ws_conformance.reports.markdown import markdown
from responses_ws_conformance.reports.sarif import sarif
from responses_ws_conformance.reports.statement import statement
from responses_ws_conformance.transcript import Transcript

Renderer = Callable[[dict[str, Any], Sequence[Transcript]], str]

FORMATS: Final[dict[str, Renderer]] = {
    "html": html,
    "junit": lambda report, _: junit(report),
    "sarif": lambda report, _: sarif(report),
    "statement": statement,
    "summary": lambda report, _: markdown(report),
}
