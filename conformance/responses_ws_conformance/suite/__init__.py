"""The suite as pytest sees it: ``pytest --pyargs responses_ws_conformance.suite``."""
