"""``python -m responses_ws_conformance.cli`` is ``rws``."""

import sys

from responses_ws_conformance.cli import main

sys.exit(main())
