"""YAML files of people and of strangers, read as plain data.

A date is the text that stands in the file. Aliases are refused: a few lines of them can stand for
more than any memory holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from responses_ws_conformance.errors import CannotStart


class _PlainLoader(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias; write out what it stands for")
        return super().compose_node(parent, index)


def _as_written(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_PlainLoader.add_constructor("tag:yaml.org,2002:timestamp", _as_written)


def read_yaml(path: Path, *, error: type[CannotStart] = CannotStart) -> Any:
    """What is in a file; raises the error, which names the file and says what is wrong with it."""
    try:
        return yaml.load(path.read_text("utf-8"), _PlainLoader)
    except OSError as problem:
        raise error(f"{path}: {problem.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise error(f"{path}: not YAML: {' '.join(str(problem).split())}") from None
    except RecursionError:
        raise error(f"{path}: nested too deep") from None
    except ValueError as problem:  # such as a number that has too many digits
        raise error(f"{path}: not YAML: {problem}") from None
