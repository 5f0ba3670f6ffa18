"""Every YAML block of the pages is read as its reader would use it."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from shared.settings import FarmFileError
from tests.docs.farms import laid_over
from tests.docs.markdown import LANGUAGES, Block, blocks

YAML_BLOCKS = [block for block in blocks() if block.language == "yaml"]
FARMS = [block for block in YAML_BLOCKS if block.says("not a farm") is None and block.says("wrong") is None]
WRONG = [block for block in YAML_BLOCKS if block.says("wrong") is not None]
OTHERS = [block for block in YAML_BLOCKS if block.says("not a farm") is not None]


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_each_block_says_what_it_is(block: Block) -> None:
    assert block.language in LANGUAGES, f"write ```sh, ```yaml or ```text at {block}"


@pytest.mark.parametrize("block", FARMS, ids=str)
def test_each_piece_of_a_farm_file_loads(block: Block, tmp_path: Path) -> None:
    farm = laid_over(block.text, block.says("with") or "", tmp_path)
    assert farm is not None


@pytest.mark.parametrize("block", WRONG, ids=str)
def test_what_is_shown_as_wrong_is_refused_with_the_words_that_are_shown(block: Block, tmp_path: Path) -> None:
    words = block.says("wrong")
    assert words, f"say with which words it is refused at {block}"
    with pytest.raises(FarmFileError, match=re.escape(words)):
        laid_over(block.text, "", tmp_path)


@pytest.mark.parametrize("block", OTHERS, ids=str)
def test_what_belongs_to_others_is_yaml_at_least(block: Block) -> None:
    # Home Assistant's own tags, such as !input, are its business.
    assert YAML(typ="rt").load(block.text)
    assert block.says("not a farm"), f"say whose it is at {block}"


def test_a_wrong_key_in_a_page_would_be_noticed(tmp_path: Path) -> None:
    with pytest.raises(FarmFileError, match="did you mean"):
        laid_over("miners:\n  a: {driver: vnish, hots: 192.0.2.1}\n", "", tmp_path)
