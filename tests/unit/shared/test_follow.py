"""A farm file that is edited: what is whole and sound is lived by, and what is wrong is said once."""

import os
from pathlib import Path

import pytest

from shared.clock import VirtualClock
from shared.follow import RIGHT, WRONG, Follower, News, event_of, report
from shared.inputs import forget_inputs, inputs_of, keep_inputs, read_inputs

GOOD = "miners:\n  s19: {driver: vnish, host: 192.0.2.1}\n"
OTHER = GOOD.replace("192.0.2.1", "192.0.2.2")
WRONG_FILE = GOOD.replace("driver", "drivr")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SUNHERD_SECRETS_DIR", str(tmp_path / "secrets"))
    (tmp_path / "farm.yaml").write_text(GOOD)
    return tmp_path / "farm.yaml"


@pytest.fixture
def follower(file: Path) -> Follower:
    return Follower(file, read_inputs(file))


def looks(follower: Follower, times: int = 3) -> list[News]:
    return [news for news in (follower.look() for _ in range(times)) if news is not None]


def host(news: News) -> str:
    assert news.inputs is not None
    return str(news.inputs.farm.miners["s19"].host)


def test_a_file_that_nobody_touches_is_no_news(follower: Follower) -> None:
    assert looks(follower, 10) == []


def test_a_change_counts_at_the_second_look_that_shows_it_and_once(follower: Follower, file: Path) -> None:
    file.write_text(OTHER)
    assert follower.look() is None
    news = follower.look()
    assert news is not None
    assert host(news) == "192.0.2.2:80"
    assert looks(follower) == []


def test_a_file_that_is_still_being_written_is_waited_for(follower: Follower, file: Path) -> None:
    for written in range(len(OTHER) - 1):
        file.write_text(OTHER[:written])
        assert follower.look() is None, "half a file may well be sound: with fewer miners"
    file.write_text(OTHER)
    assert [host(news) for news in looks(follower)] == ["192.0.2.2:80"]


def test_what_is_taken_back_before_it_counted_never_was(follower: Follower, file: Path) -> None:
    file.write_text(OTHER)
    assert follower.look() is None
    file.write_text(GOOD)
    assert looks(follower, 5) == []


def test_another_file_in_its_place_counts_too(follower: Follower, file: Path, tmp_path: Path) -> None:
    (tmp_path / "fresh").write_text(OTHER)
    (tmp_path / "fresh").replace(file)
    assert [host(news) for news in looks(follower)] == ["192.0.2.2:80"]


def test_a_change_that_leaves_size_and_date_as_they_were_is_seen(follower: Follower, file: Path) -> None:
    stat = file.stat()
    assert looks(follower) == []
    file.write_text(OTHER)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert [host(news) for news in looks(follower)] == ["192.0.2.2:80"]


def test_a_wrong_file_is_said_once_and_the_old_settings_stay(follower: Follower, file: Path) -> None:
    file.write_text(WRONG_FILE)
    (news,) = looks(follower, 6)
    assert news.inputs is None
    assert any("farm.yaml:2: miners.s19.drivr: unknown key" in problem for problem in news.problems)
    assert str(follower.inputs.farm.miners["s19"].host) == "192.0.2.1:80"


def test_a_file_that_is_taken_back_is_sound_again_and_nothing_is_begun_anew(follower: Follower, file: Path) -> None:
    file.write_text(WRONG_FILE)
    assert looks(follower)
    file.write_text(GOOD)
    assert looks(follower) == [News(is_mended=True)]


def test_a_file_that_is_mended_is_both_sound_again_and_new(follower: Follower, file: Path) -> None:
    file.write_text(WRONG_FILE)
    assert looks(follower)
    file.write_text(OTHER)
    (news,) = looks(follower)
    assert news.is_mended
    assert host(news) == "192.0.2.2:80"


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a list\n", "miners: ["])
def test_a_file_that_a_full_disk_has_cut_off_is_not_lived_by(follower: Follower, file: Path, text: str) -> None:
    file.write_text(text)
    (news,) = looks(follower)
    assert news.inputs is None
    assert news.problems


def test_a_file_that_is_gone_is_wrong_and_one_that_comes_back_is_sound(follower: Follower, file: Path) -> None:
    file.unlink()
    (news,) = looks(follower)
    assert news.problems == (
        "farm.yaml: No such file or directory. Fix: put the farm file back, and let the services read it.",
    )
    file.write_text(GOOD)
    assert looks(follower) == [News(is_mended=True)]


@pytest.mark.parametrize("name", [".env", "secrets/VNISH_PASSWORD"])
def test_a_secret_is_a_change_for_those_who_have_asked_for_it(follower: Follower, file: Path, name: str) -> None:
    before = follower.inputs.secrets
    assert before.get("VNISH_PASSWORD") is None
    secret = file.parent / name
    secret.parent.mkdir(exist_ok=True)
    secret.write_text("VNISH_PASSWORD=new\n" if name == ".env" else "new\n")

    (news,) = looks(follower)

    assert news.inputs is not None
    assert news.inputs.secrets.are_other_than(before)
    assert not news.inputs.secrets.are_other_than(read_inputs(file).secrets), "of whom nobody has asked anything"
    assert news.inputs.secrets.get("VNISH_PASSWORD") == "new"


def test_a_secret_that_is_no_text_is_wrong(follower: Follower, file: Path) -> None:
    (file.parent / ".env").write_bytes(b"HA_TOKEN=\xff\xfe\n")
    (news,) = looks(follower)
    assert "Fix: write .env and secret files as plain text." in news.problems[0]


def test_what_speaks_against_a_change_is_said_as_what_is_wrong_with_a_file(file: Path) -> None:
    follower = Follower(file, read_inputs(file), lambda _before, _after: "it cannot be. Fix: do not.")
    file.write_text(OTHER)
    assert looks(follower) == [News(problems=("farm.yaml: it cannot be. Fix: do not.",))]


def test_a_file_that_is_written_while_it_is_read_is_read_again(file: Path) -> None:
    third = GOOD.replace("192.0.2.1", "192.0.2.3")

    def writes(_before: object, _after: object) -> None:
        file.write_text(third)

    follower = Follower(file, read_inputs(file), writes)
    file.write_text(OTHER)
    assert [host(news) for news in looks(follower, 6)] == ["192.0.2.3:80"]


def test_at_most_ten_problems_are_told_and_counted_all(clock: VirtualClock, file: Path) -> None:
    news = News(problems=tuple(f"farm.yaml:{line}: wrong. Fix: mend it." for line in range(1, 31)))
    event = event_of(news, file, clock.now())
    assert event is not None
    assert (event.code, event.numbers["problems"]) == (WRONG, 30)
    assert event.sentence.startswith("farm.yaml has 30 problems; all goes on by what it said before. farm.yaml:1: ")
    assert event.sentence.count("Fix: ") == 10


def test_what_is_sound_again_is_told_and_what_is_new_speaks_for_itself(
    clock: VirtualClock, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mended = event_of(News(is_mended=True), file, clock.now())
    assert mended is not None
    assert mended.code == RIGHT
    assert event_of(News(read_inputs(file)), file, clock.now()) is None
    report(News(problems=("farm.yaml:1: wrong",)), file, quietly=True)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_fork_lives_by_what_its_parent_has_read_last(file: Path) -> None:
    first = inputs_of(file)
    file.write_text(OTHER)
    assert inputs_of(file) is first
    second = read_inputs(file)
    keep_inputs(file, second)
    assert inputs_of(file) is second
    forget_inputs(file)
    assert inputs_of(file) not in (first, second)
