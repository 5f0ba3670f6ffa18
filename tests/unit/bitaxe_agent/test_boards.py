"""Which device it is, what it bears, and that nothing is guessed."""

import pytest

from services.bitaxe_agent.boards import BOARDS, CHIPS, Options, OwnLimits, limits_of, options, recognise
from services.bitaxe_agent.parse import Identity, Readout
from services.bitaxe_agent.setting import Setting

NOTHING_SAID = OwnLimits()
GAMMA_OPTIONS = Options(Setting(1250, 625), chips=1, model="Gamma")


@pytest.mark.parametrize(
    ("board", "chip", "model", "chips"),
    [
        ("601", "BM1370", "Gamma 601 (BM1370)", 1),
        ("401", "BM1368", "Supra 401 (BM1368)", 1),
        ("204", "BM1366", "Ultra 204 (BM1366)", 1),
        ("302", "BM1366", "Hex 302 (BM1366)", 6),
        ("701", "BM1368", "SupraHex 701 (BM1368)", 6),
        ("801", "BM1370", "GammaTurbo 801 (BM1370)", 2),
        ("650", "BM1370", "GammaDuo 650 (BM1370)", 2),
        ("102", "BM1397", "Max 102 (BM1397)", 1),
    ],
)
def test_boards_are_recognised(board: str, chip: str, model: str, chips: int) -> None:
    # Firmware of the Hex once told one chip: the board knows better.
    found = recognise(Identity(chip=chip, board=board), Readout(chips=1), None)
    assert (found.model, found.chips, found.chip) == (model, chips, CHIPS[chip])


@pytest.mark.parametrize(("told", "chips"), [(4, 4), (None, 1), (900, 24)])
def test_a_fork_tells_its_model_and_its_chips(told: int | None, chips: int) -> None:
    identity = Identity(chip="BM1370", board="601", model="NerdQAxe++")
    found = recognise(identity, Readout(chips=told), None)
    assert (found.model, found.chips, found.board) == ("NerdQAxe++ (BM1370)", chips, None)


def test_a_known_board_with_another_chip_is_not_that_board() -> None:
    assert recognise(Identity(chip="BM1366", board="601"), Readout(), None).board is None


@pytest.mark.parametrize(
    ("chip", "own", "offered", "unread", "limits"),
    [
        ("BM1370", NOTHING_SAID, GAMMA_OPTIONS, False, Setting(1250, 600)),
        ("BM1370", NOTHING_SAID, None, False, Setting(1300, 600)),
        ("BM1370", NOTHING_SAID, None, True, Setting(1250, 600)),
        ("BM1370", OwnLimits(1100, 500), GAMMA_OPTIONS, False, Setting(1100, 500)),
        ("BM1370", OwnLimits(1600, 1200), GAMMA_OPTIONS, False, Setting(1250, 625)),
        ("BM1370", OwnLimits(1600, 1200), None, False, Setting(1300, 625)),
        ("BM1397", NOTHING_SAID, None, False, Setting(1500, 600)),
        ("BM1397", OwnLimits(1400, None), None, False, Setting(1400, 600)),
        ("BM9999", NOTHING_SAID, None, False, None),
        ("BM9999", OwnLimits(1200, None), None, False, None),
        ("BM9999", OwnLimits(1200, 500), None, False, Setting(1200, 500)),
        ("BM9999", NOTHING_SAID, Options(Setting(1180, 480)), False, Setting(1180, 480)),
    ],
)
def test_limits_are_the_least_of_all(
    chip: str, own: OwnLimits, offered: Options | None, limits: Setting | None, *, unread: bool
) -> None:
    device = recognise(Identity(chip=chip), Readout(), offered)
    assert limits_of(own, device, offered, unread=unread) == limits


def test_every_chip_has_its_profiles_within_what_it_bears() -> None:
    for board in BOARDS.values():
        profiles, most = board.profiles or CHIPS[board.chip].profiles, CHIPS[board.chip].most
        assert list(profiles) == ["quiet", "efficient", "performance"]
        rising = list(profiles.values())
        assert rising == sorted(rising)
        assert not any(setting.exceeds(most) for setting in rising)


def test_the_gammas_profiles_are_the_recommended_ones() -> None:
    assert CHIPS["BM1370"].profiles == {
        "quiet": Setting(1100, 400),
        "efficient": Setting(1150, 450),
        "performance": Setting(1300, 600),
    }


@pytest.mark.parametrize(
    ("answer", "most"),
    [
        ({"frequencyOptions": [400, 575], "voltageOptions": [1100, 1300]}, Setting(1300, 575)),
        ({"frequencyOptions": ["400", "575"], "voltageOptions": ["1100", None, 1e9]}, Setting(1100, 575)),
        ({"frequencyOptions": [], "voltageOptions": [1100]}, None),
        ({"frequencyOptions": "400", "voltageOptions": {}}, None),
        ({}, None),
    ],
)
def test_what_a_board_offers(answer: dict[str, object], most: Setting | None) -> None:
    found = options(answer)
    assert (None if found is None else found.most) == most
