"""What holds for the files of all three scripts: their JSON, their names, and machines that stand in two of them."""

import pytest

from tests.unit.deploy.script_files import RIGS, SCHEDULER, gathered, lost, wrong


def test_names_become_ids_and_collisions_are_solved_and_told() -> None:
    rows = [("Bitaxe 1", "1"), ("bitaxe-1", "2"), ("bitaxe_1", "3"), ("", "4"), ("Küche", "5"), ("日本", "6")]
    farm = gathered({"miners": [{"name": name, "ip": f"10.0.0.{octet}"} for name, octet in rows]})
    assert list(farm.miners) == ["bitaxe-1", "bitaxe-1-2", "bitaxe_1-3", "bitaxe-4", "kuche", "bitaxe-6"]
    told = [(line.value, line.became) for line in farm.lines if line.key == "(id)"]
    assert told[1] == ("bitaxe-1", "miners.bitaxe-1-2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "it is none of the files that are known. Fix: give miners.json"),
        ("[]", "it is none of the files that are known. Fix: "),
        ("", "line 1 is no JSON: Expecting value. Fix: look for a missing comma"),
        ('[\n {"ip": "a",\n  "stop_soc" 7}]', "line 3 is no JSON: Expecting ':' delimiter. Fix: "),
        ('{"miners": []}', "there is no machine in it. Fix: "),
        ("[" * 100_000, "nested too deeply. Fix: "),
    ],
)
def test_a_file_of_nobody_is_refused(text: str, said: str) -> None:
    (sentence,) = wrong(text)
    assert sentence.startswith(f"f.json: the file: {said}")


def test_signs_of_comments_within_texts_are_no_comments() -> None:
    farm = gathered('\ufeff[{"ip": "http://10.0.0.1", "password": "a//b/*c*/,]", "stop_soc": 1, "resume_soc": 2,},]')
    assert farm.passwords == {"s19-1": "a//b/*c*/,]"}


def test_a_rig_that_may_be_one_of_the_others_is_observed_until_its_owner_knows() -> None:
    alone, beside = gathered(RIGS), gathered(RIGS, SCHEDULER)
    assert "observe" not in alone.miners["garage-rig"]
    assert beside.miners["garage-rig"]["observe"] is True
    assert "observe" not in beside.miners["bitaxe-1"]
    assert lost(beside)["(machine)"].startswith("if it is one of the other miners, give that one its plug and worker;")


def test_the_same_address_in_two_files_is_one_miner_with_both_sides() -> None:
    soc = [{"ip": "192.168.1.100", "password": "p", "stop_soc": 20, "resume_soc": 30}]
    farm = gathered(soc, SCHEDULER)
    assert list(farm.miners) == ["bitaxe-1", "bitaxe-2", "bitaxe-3"]
    joined = farm.miners["bitaxe-1"]
    assert (joined["driver"], joined["stop_soc"], joined["schedule"]) == ("bitaxe", 20, "day-and-night")
    assert farm.passwords == {}
    assert "which counts" in lost(farm)["driver"]
    assert lost(farm)["password"] == "a miner with driver: bitaxe has no password"
