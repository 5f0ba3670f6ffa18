"""Files such as the three scripts have, written after their shapes, and what is made of them."""

import json
from typing import Any

from deploy.console.importing.files import harvest_text
from deploy.console.importing.gather import Gathered, Present, gather
from deploy.console.importing.of_soc_controller import SocOptions

SOC_OPTIONS = ("--ha-url", "http://192.168.88.239:8123", "--sensor", "sensor.solis_soc", "--poll", "30")

SOC = """[
  { "ip": "192.168.88.20", "password": "admin", "stop_soc": 73, "resume_soc": 75 },
  { "ip": "192.168.88.21", "password": "it's \\"s3cret\\" #1 $x \\\\", "stop_soc": "95", "resume_soc": 99.5 },
]"""
RIGS = """[
    // one rig of a strip
    {
        "status_api" : "flexpool", "wallet" : "0x12ab", "worker_name" : "Garage Rig", "kasa_device_ip" : "192.168.0.9",
        "smart_strip_plug_name" : "Garage Rig", "smart_strip_plug_number" : "Garage Rig",
        "power_cycle_on_delay" : 3, "time_until_offline" : "10", "status_check_frequency" : 5,
        "status_check_cooldown" : 10, "max_consecutive_restarts" : 3
    }
]"""
SCHEDULER = """{
  "miners": [
    {"name": "Bitaxe-1", "ip": "http://192.168.1.100", "enabled": true, "day_settings": null, "night_settings": null},
    {"name": "Bitaxe-2", "ip": "http://192.168.1.101", "enabled": false},
    {
      "name": "Bitaxe-3",
      "ip": "http://192.168.1.102",  // in the attic
      "day_settings": {"voltage": 1100, "frequency": 425}, "night_settings": {"voltage": 1200, "frequency": 525}
    },
  ],
  "global_day_settings": {"start_time": "07:30", "end_time": "20:00", "voltage": 1150, "frequency": 450},
  "global_night_settings": {"start_time": "20:00", "end_time": "07:30", "voltage": 1250, "frequency": 550},
  "max_voltage": 1300, "max_frequency": 600, "max_temp": 68, "max_power": 15,   /* limits */
  "check_interval": 60, "temp_check_interval": 30, "log_stats_interval": 300,
  "smooth_transition": true, "transition_steps": 4, "transition_delay": 20,
  "parallel_operations": true, "max_workers": 5, "retry_attempts": 3, "retry_delay": 5
}"""


def gathered(*sources: Any, options: SocOptions | None = None, nominal_w: float | None = None) -> Gathered:
    texts = [source if isinstance(source, str) else json.dumps(source) for source in sources]
    found = [harvest_text(f"{n}.json", text, options or SocOptions(), nominal_w) for n, text in enumerate(texts)]
    assert [sentence for each in found for sentence in each.wrong] == []
    return gather(found, Present(), "UTC")


def wrong(source: Any) -> list[str]:
    text = source if isinstance(source, str) else json.dumps(source)
    return harvest_text("f.json", text, SocOptions(), None).wrong


def lost(farm: Gathered) -> dict[str, str]:
    return {line.key: line.became for line in farm.lines if not line.kept}
