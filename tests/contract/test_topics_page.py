from pathlib import Path

from deploy.topics_page import page
from shared.topics import TOPICS

FILE = Path(__file__).parents[2] / "docs" / "topics.md"


def test_the_page_of_topics_is_fresh() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "run: python -m deploy.topics_page > docs/topics.md"


def test_the_page_names_every_topic_and_every_field() -> None:
    text = page()
    for topic in TOPICS:
        assert f"`{{prefix}}/{topic.noun}/{{id}}/{topic.channel}`" in text
        assert f"## {topic.model.__name__}\n" in text
        for field in topic.model.model_fields:
            assert f"| `{field}` |" in text
