"""Configuration: one `farm.yaml` for all services, environment variables above it, secrets apart from both."""

from shared.settings.address import Address
from shared.settings.battery import BatterySettings, HomeAssistantSettings, MqttSourceSettings
from shared.settings.bitaxe import ProfileSettings
from shared.settings.farm import BrokerSettings, FarmSettings, GroupSettings, RuleSettings, SiteSettings
from shared.settings.load import FarmFileError, load_farm
from shared.settings.miner import MinerSettings
from shared.settings.problems import Problem
from shared.settings.secrets import Secrets

__all__ = [
    "Address",
    "BatterySettings",
    "BrokerSettings",
    "FarmFileError",
    "FarmSettings",
    "GroupSettings",
    "HomeAssistantSettings",
    "MinerSettings",
    "MqttSourceSettings",
    "Problem",
    "ProfileSettings",
    "RuleSettings",
    "Secrets",
    "SiteSettings",
    "load_farm",
]
