"""The pages of the site that nobody writes: made from code and data while the site is built.

requirements      a page for each requirement
schemas           a page for each schema, and the schemas where their addresses say
asyncapi          the same messages as an AsyncAPI 3 document
lifecycle         the state tables, drawn
implementations   what statements say about servers
places            where things stand
"""

from __future__ import annotations

import sys
from pathlib import Path

# The cases are data of the tests, which are not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
