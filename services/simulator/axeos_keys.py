"""Which keys `/api/system/info` has in each generation, and which of their values are true and false there."""

from functools import lru_cache

from services.simulator.axeos_firmware import Firmware

_POOLS = """
stratumURL stratumPort stratumUser fallbackStratumURL fallbackStratumPort fallbackStratumUser isUsingFallbackStratum
"""
_OLDEST = f"""
power voltage current temp vrTemp hashRate bestDiff bestSessionDiff freeHeap coreVoltage coreVoltageActual frequency
ssid macAddr hostname wifiStatus sharesAccepted sharesRejected uptimeSeconds asicCount smallCoreCount ASICModel {_POOLS}
version idfVersion boardVersion runningPartition flipscreen overheat_mode invertscreen invertfanpolarity autofanspeed
fanspeed fanrpm stratumDiff
"""
_2_10 = f"""
power voltage current temp temp2 vrTemp maxPower nominalVoltage hashRate expectedHashrate bestDiff bestSessionDiff
poolDifficulty isPSRAMAvailable freeHeap coreVoltage coreVoltageActual frequency ssid macAddr hostname wifiStatus
wifiRSSI apEnabled sharesAccepted sharesRejected sharesRejectedReasons uptimeSeconds smallCoreCount ASICModel {_POOLS}
stratumSuggestedDifficulty stratumExtranonceSubscribe fallbackStratumSuggestedDifficulty
fallbackStratumExtranonceSubscribe responseTime version axeOSVersion idfVersion boardVersion runningPartition
overheat_mode overclockEnabled display rotation invertscreen displayTimeout autofanspeed fanspeed minFanSpeed temptarget
fanrpm statsFrequency
"""
_2_12 = f"""
{_2_10} hashRate_1m hashRate_10m hashRate_1h errorPercentage poolAddrFamily freeHeapInternal freeHeapSpiram ipv4 ipv6
resetReason manualFanSpeed fan2rpm blockFound blockHeight scriptsig networkDifficulty hashrateMonitor
"""
_2_15 = f"""
{_2_12} sharesPending responseShareBatch processTime workReceived showNewBlock coinbaseValueTotalSatoshis
coinbaseValueUserSatoshis minFreeHeap maxAllocHeap totalUptimeSeconds totalHashes totalLog2Work cpuUsage miningPaused
actualFrequency poolConnectionInfo primaryPoolIndex secondaryPoolIndex useFallbackStratum stratumTLS stratumCert
stratumDecodeCoinbase stratumProtocol stratumV2AuthorityPubkey stratumV2ChannelType fallbackStratumTLS
fallbackStratumCert fallbackStratumDecodeCoinbase fallbackStratumProtocol fallbackStratumV2AuthorityPubkey
fallbackStratumV2ChannelType useCustomWWW statsLimit blockSignals coinbaseOutputs fullHostname pools partitions
"""
_FORK = f"""
asicCount smallCoreCount deviceModel hostip macAddr wifiRSSI power maxPower minPower maxVoltage minVoltage current
currentA temp vrTemp vrTempInt hashRateTimestamp hashRate hashRate_1m hashRate_10m hashRate_1h hashRate_1d coreVoltage
defaultCoreVoltage coreVoltageActual fanspeed manualFanSpeed fanrpm fanrpm2 fanCount shutdown poolDifficulty foundBlocks
sharesAccepted sharesRejected bestDiff bestSessionDiff asicTemps pidTargetTemp hostname ssid {_POOLS} stratum voltage
frequency defaultFrequency jobInterval stratumDifficulty overheat_temp flipscreen invertscreen autoscreenoff
invertfanpolarity autofanspeed otp ASICModel uptimeSeconds lastResetReason wifiStatus freeHeap freeHeapInt version
runningPartition
"""
_BOOLEANS = frozenset({"stratumExtranonceSubscribe", "fallbackStratumExtranonceSubscribe"})
_FLOATS_SINCE_2_11 = frozenset({"fanspeed"})


@lru_cache
def keys_of(firmware: Firmware) -> tuple[str, ...]:
    """The keys of `/api/system/info`, without those that come with a fault only."""
    if firmware.fork:
        return tuple(_FORK.replace("isUsingFallbackStratum", "").split())
    if firmware.number >= (2, 15):
        return tuple(_2_15.replace("poolAddrFamily", "").split())
    if firmware.number >= (2, 12):
        return tuple(_2_12.split())
    return tuple((_2_10 if firmware.number >= (2, 9) else _OLDEST).split())


def as_told(firmware: Firmware, key: str, value: object) -> object:
    """A value in the form of that generation."""
    if key in _BOOLEANS:
        return bool(value) if firmware.number >= (2, 14) else int(bool(value))
    if isinstance(value, float):
        return _number(firmware, key, value)
    return value


def _number(firmware: Firmware, key: str, value: float) -> float | int:
    """The library that writes the JSON leaves off a fraction of nothing; newer firmware rounds to seven digits."""
    if key in _FLOATS_SINCE_2_11 and not firmware.validates:
        return round(value)
    if key == "frequency" and firmware.number < (2, 10):
        return int(value)
    rounded = round(value, 7) if firmware.spares_flash else value
    return int(rounded) if rounded == int(rounded) else rounded
