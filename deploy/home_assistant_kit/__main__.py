"""Makes a dashboard for Home Assistant of a farm file: `python -m deploy.home_assistant_kit > dashboard.yaml`."""

import argparse
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from deploy.home_assistant_kit.views import dashboard
from shared.launch import EXIT_BAD_INPUT
from shared.settings import FarmFileError, FarmSettings, Secrets, load_farm
from shared.settings.load import farm_path
from shared.settings.secrets import EXPECTED_VARIABLE

_HEAD = """\
# A dashboard for Home Assistant, made of {source} by `python -m deploy.home_assistant_kit`.
# Settings, Dashboards, Add dashboard, New dashboard from scratch; open it, pencil, ⋮, Raw configuration editor:
# put this in place of what is there. docs/home-assistant.md tells more.
"""
_TOLD = """\
Prints a dashboard for Home Assistant, made of your farm file: problems first, then the farm, groups, miners, rigs with
plugs, pools and history. It needs no custom cards, no password and no network, and changes nothing.
"""
_HOW = """\
In Home Assistant (2025.4 or newer): Settings, Dashboards, Add dashboard, New dashboard from scratch. Open it, then
pencil, three dots, Raw configuration editor; put the whole output there in place of what is there, and save.
Do it again after you have added miners. Entities that you have renamed must be renamed there, too.

Example: python -m deploy.home_assistant_kit --farm farm.yaml > dashboard.yaml
"""
_WORDS_OF_YAML_1_1 = {"on", "off", "yes", "no", "true", "false", "y", "n"}
_WIDTH = 120


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the dashboard; exit code 2 where there is no sound farm file."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.home_assistant_kit",
        description=_TOLD,
        epilog=_HOW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--farm", type=Path, metavar="FILE", help="default: SUNHERD_FARM, else farm.yaml here")
    path = parser.parse_args(arguments).farm or farm_path()
    # None of the farm's secrets is needed, so none has to be here.
    nothing_secret = Secrets({EXPECTED_VARIABLE: ""}, {}, path.parent)
    try:
        farm = load_farm(path, nothing_secret)
    except FarmFileError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_BAD_INPUT
    except FileNotFoundError:
        sys.stderr.write(f"{path} is not there. Fix: name your farm file with --farm, or go to where it is.\n")
        return EXIT_BAD_INPUT
    sys.stdout.write(text_of(farm, path.name))
    return 0


def text_of(farm: FarmSettings, source: str) -> str:
    """The dashboard as YAML that 1.1 and 1.2 read alike: Home Assistant itself reads 1.1, its editor 1.2."""
    yaml = YAML()
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(_written(dashboard(farm)), stream)
    return _HEAD.format(source=source) + stream.getvalue()


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _written(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_written(item) for item in value]
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    if isinstance(value, str) and value.lower() in _WORDS_OF_YAML_1_1:
        return DoubleQuotedScalarString(value)
    return value


if __name__ == "__main__":
    sys.exit(main())
