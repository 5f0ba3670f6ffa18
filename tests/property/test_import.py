"""Whatever a file of the old scripts holds: it is refused with a fix, or becomes a farm file that the services take."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.console.editing.farm_file import problems_of
from deploy.console.importing.files import harvest_text
from deploy.console.importing.fresh_file import fresh_text
from deploy.console.importing.gather import Present, gather
from deploy.console.importing.of_soc_controller import SocOptions

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 2000),
    st.floats(-10, 2000, allow_nan=False),
    TEXT,
    st.lists(st.integers(), max_size=2),
    st.dictionaries(TEXT, st.integers(), max_size=1),
)
ADDRESS = st.sampled_from(["10.0.0.1", "http://10.0.0.2", "10.0.0.3:8080", "miner.lan", "10.0.1.1"])


def mostly(*right: Any) -> st.SearchStrategy[Any]:
    """One of these, or now and then something that has no business there."""
    fit = st.sampled_from(right)
    return st.one_of(fit, fit, fit, fit, fit, fit, fit, ODD)


def section(needed: dict[str, st.SearchStrategy[Any]], optional: dict[str, st.SearchStrategy[Any]]) -> Any:
    return st.fixed_dictionaries(needed, optional={**optional, "strange": ODD})


SOC = st.lists(
    section(
        {"ip": ADDRESS, "stop_soc": mostly(20, "30.5"), "resume_soc": mostly(70, 99)},
        {"password": mostly("admin", "it's")},
    ),
    max_size=3,
)
RIGS = st.lists(
    section(
        {
            "status_api": mostly("flexpool", "ckpool", "2miners"),
            "wallet": mostly("bc1q", "0x1"),
            "worker_name": mostly("Rig 1", "rig-1", "r"),
            "kasa_device_ip": ADDRESS,
        },
        {
            "smart_strip_plug_name": mostly("Rig"),
            "smart_strip_plug_number": mostly(0, "1", "Rig"),
            "coin": mostly("ETH", "bch"),
            "power_cycle_on_delay": mostly(3, 10),
            "time_until_offline": mostly(10, 0, -1),
            "status_check_frequency": mostly(5),
            "max_consecutive_restarts": mostly(3),
        },
    ),
    max_size=3,
)
POINT = section({}, {"voltage": mostly(1150, 1250, "1200"), "frequency": mostly(450, 550.5)})
CLOCK = mostly("07:30", "20:00", "6:00")
SCHEDULER = section(
    {
        "miners": st.lists(
            section(
                {"name": mostly("Bitaxe-1", "Bitaxe 1", "b"), "ip": ADDRESS},
                {"enabled": mostly(True, False), "day_settings": POINT, "night_settings": st.none() | POINT},
            ),
            max_size=3,
        )
    },
    {
        "global_day_settings": section(
            {}, {"start_time": CLOCK, "end_time": CLOCK, "voltage": mostly(1100), "frequency": mostly(400)}
        ),
        "global_night_settings": section({}, {"start_time": CLOCK, "voltage": mostly(1300, 1500)}),
        "max_voltage": mostly(1300, 1250),
        "max_temp": mostly(70, 65),
        "max_power": mostly(15),
        "smooth_transition": mostly(True, False),
        "transition_steps": mostly(5, 3),
        "transition_delay": mostly(10, 5),
    },
)


@settings(deadline=None)
@given(st.lists(st.one_of(SOC, RIGS, SCHEDULER), min_size=1, max_size=3))
def test_it_is_refused_or_the_services_take_it(contents: list[Any]) -> None:
    options = SocOptions("http://ha:8123", "sensor.soc", 30)
    found = [harvest_text(f"{n}.json", json.dumps(each), options, None) for n, each in enumerate(contents)]
    wrong = [sentence for harvest in found for sentence in harvest.wrong]
    for sentence in wrong:
        assert ". Fix: " in sentence
    if wrong:
        return
    farm = gather(found, Present(), "Europe/Lisbon")
    text = fresh_text(farm, watts_are_assumed=True)
    # What is left is said by the loader, as of any farm file; none of it is about the shape of the file.
    for problem in problems_of(text):
        assert "not valid YAML" not in problem.cause
        assert problem.cause != "unknown key"
        assert problem.place.split(".")[0] in {"miners", "pools", "schedules", "battery"}
    # Every key of every file is spoken of.
    told = {line.key.split(".")[-1] for line in farm.lines}
    twice = any("already" in line.became for line in farm.lines)
    assert "strange" in told or twice or not any("strange" in json.dumps(each) for each in contents)
