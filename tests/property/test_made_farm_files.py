"""Whatever is found and answered, `sunherd init` writes a farm file that loads, and says what was meant."""

import string
import tempfile
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.console.finding.draft import Band, Draft, DraftMiner, DraftPlug, farm_text, names_for, parse_band
from deploy.console.finding.env_file import append_secrets
from deploy.console.trouble import TroubleError
from shared.settings import Secrets, load_farm

SAID_BY_DEVICES = st.text(max_size=20)
BANDS = st.tuples(st.integers(0, 99), st.integers(1, 100)).filter(lambda ends: ends[0] < ends[1])
OUTLETS = st.one_of(st.none(), st.integers(1, 6), st.text(min_size=1, max_size=12).filter(lambda text: text.strip()))


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    hosts = draw(st.lists(st.integers(1, 120), unique=True, max_size=6))
    drivers = [draw(st.sampled_from(["vnish", "bitaxe"])) for _ in hosts]
    models = [draw(st.one_of(st.none(), SAID_BY_DEVICES)) for _ in hosts]
    addresses = [f"192.168.88.{host}{draw(st.sampled_from(['', ':8080']))}" for host in hosts]
    names = names_for(zip(drivers, addresses, models, strict=True))
    battery = draw(st.sampled_from([None, ("http://homeassistant.local:8123", "sensor.battery_soc")]))
    band = None if battery is None else Band(*draw(BANDS))
    miners = [
        DraftMiner(name, driver, address, draw(st.sampled_from([None, "11:22:33:44:55:55"])), band, remark=model or "")
        for name, driver, address, model in zip(names, drivers, addresses, models, strict=True)
    ]
    plug = DraftPlug("192.168.88.250", draw(OUTLETS))
    rigs = [
        DraftMiner(
            "rig-7", "plug", plug=plug, nominal_w=draw(st.floats(1, 9999)), band=band, remark=draw(SAID_BY_DEVICES)
        )
    ]
    broker = draw(st.sampled_from([None, ("mqtt://10.0.0.1:1883", None), ("mqtts://broker.lan:8883", "a 'user'")]))
    loose = [f"10.0.0.9 {text!r}" for text in draw(st.lists(SAID_BY_DEVICES, max_size=2))]
    return Draft("Europe/Lisbon", draw(st.permutations([*miners, *rigs])), battery, broker, loose)


@settings(deadline=None)  # the loader goes through a whole file
@given(drafts())
def test_what_is_written_loads_and_says_what_was_meant(draft: Draft) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "farm.yaml")
        file.write_text(farm_text(draft), encoding="utf-8")
        farm = load_farm(file, Secrets({"HA_TOKEN": "x"}, {}, Path(directory)))
    assert farm.observe, "at first it only looks"
    assert set(farm.miners) == {miner.name for miner in draft.miners}
    for meant in draft.miners:
        miner = farm.miners[meant.name]
        assert miner.driver == meant.driver
        assert (miner.host is None) is (meant.host is None)
        assert miner.mac == meant.mac
        assert (miner.stop_soc, miner.resume_soc) == (
            (None, None) if meant.band is None else (meant.band.stop_soc, meant.band.resume_soc)
        )
        if meant.plug is not None:
            assert miner.plug is not None
            wanted = meant.plug.outlet
            assert miner.plug.outlet == (wanted.strip() if isinstance(wanted, str) else wanted)
    assert farm.broker.url == (None if draft.broker is None else draft.broker[0])


@given(st.lists(st.tuples(st.sampled_from(["vnish", "bitaxe"]), st.ip_addresses(v=4), SAID_BY_DEVICES), max_size=30))
def test_every_name_is_a_name_and_its_own(found: list[tuple[str, object, str]]) -> None:
    names = names_for((driver, str(address), model) for driver, address, model in found)
    assert len(set(names)) == len(found)
    assert all(name and set(name) <= set(string.ascii_lowercase + string.digits + "-") for name in names)


@given(st.integers(0, 120), st.integers(0, 120))
def test_a_band_has_its_lower_end_first_and_stays_within_percent(low: int, high: int) -> None:
    if low < high <= 100:
        assert parse_band(f"{low}-{high}") == Band(low, high)
        return
    with pytest.raises(ValueError, match="Fix:"):
        parse_band(f"{low}-{high}")


NAMES = st.sampled_from(["HA_TOKEN", "VNISH_PASSWORD", "MQTT_PASSWORD"])


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.text(min_size=1, max_size=30)))
def test_a_secret_is_read_back_as_it_was_given_or_nothing_is_written(secrets: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, ".env")
        file.write_text("# mine\nOTHER=1\n", encoding="utf-8")
        refused = ""
        try:
            added = append_secrets(file, secrets)
        except TroubleError as error:
            refused = str(error)
        if refused:
            assert file.read_text(encoding="utf-8") == "# mine\nOTHER=1\n"
            assert "Fix:" in refused
            assert all(len(secret) < 4 or secret not in refused for secret in secrets.values())
            return
        assert set(added) == set(secrets)
        assert dotenv_values(file) == {"OTHER": "1"} | secrets
        assert list(Path(directory).iterdir()) == [file]
        if added:
            assert file.stat().st_mode & 0o077 == 0
        assert append_secrets(file, secrets) == [], "once is enough"
