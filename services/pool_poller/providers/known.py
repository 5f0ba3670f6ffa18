"""The built-in pools that need no code. Sources: each pool's documentation or source, else two clients of it."""

from services.pool_poller.places import KEY
from services.pool_poller.spec import ErrorPlace, Paging, RowPlaces, Spec, Timing
from shared.messages import LastSeenKind

_TEN_MINUTES = Timing(poll_seconds=60, offline_seconds=600)
_FIFTEEN_MINUTES = Timing(poll_seconds=60, offline_seconds=900)
_TWO_MINUTES_APART = Timing(poll_seconds=120, offline_seconds=900)


def _ckpool(key: str, base: str, workers: str = "worker") -> Spec:
    # It rewrites its statistics once a minute. JSON without a JSON content type, from one fork line by line.
    row = RowPlaces("workername", "lastshare", "hashrate5m")
    return Spec(key, "{base}/users/{account}", workers, row, _TEN_MINUTES, base, many_lines=True)


# An address that is mined at in one region is unknown in the others.
CKPOOL = _ckpool("ckpool", "https://solo.ckpool.org")
CKPOOL_EU = _ckpool("ckpool_eu", "https://eusolo.ckpool.org")
CKPOOL_AU = _ckpool("ckpool_au", "https://ausolo.ckpool.org")
BRAIINS_SOLO = _ckpool("braiins_solo", "https://solo.braiins.com", workers="workers")

# `lastSeen` is the start of a bucket of ten minutes, and who did not work for half an hour is left out: less than 25
# minutes would find fault with sound miners. One row for each session.
PUBLIC_POOL = Spec(
    "public_pool",
    "{base}/api/client/{account}",
    "workers",
    RowPlaces("name", "lastSeen", "hashRate"),
    Timing(poll_seconds=120, offline_seconds=1500, floor_seconds=1500),
    "https://public-pool.io:40557",
    kind=LastSeenKind.BUCKET,
    absent_is_offline=True,
)

# More than one request in 5 s is ignored, then banned. State `dis`: its owner does not have it monitored.
BRAIINS = Spec(
    "braiins",
    "{base}/accounts/workers/json/btc/",
    "btc.workers",
    RowPlaces(
        KEY,
        "last_share",
        "hash_rate_5m",
        unit_place="hash_rate_unit",
        unmonitored="state",
        unmonitored_words=frozenset({"dis"}),
    ),
    Timing(poll_seconds=60, offline_seconds=600, apart_seconds=6),
    "https://pool.braiins.com",
    headers={"Pool-Auth-Token": "{secret}"},
    needs_secret=True,
)

# Its `status` is unreliable by one client, so the time counts alone. Who is dead for a day is left out.
F2POOL = Spec(
    "f2pool",
    "{base}/v2/hash_rate/worker/list",
    "workers",
    RowPlaces("hash_rate_info.name", "last_share_at", "hash_rate_info.hash_rate"),
    _TWO_MINUTES_APART,
    "https://api.f2pool.com",
    "bitcoin",
    "POST",
    {"F2P-API-SECRET": "{secret}"},
    {"currency": "{coin}", "mining_user_name": "{account}"},
    errors=(ErrorPlace("code", frozenset({"0"}), codes={"5001": "unknown_account", "5010": "unauthorized"}),),
    absent_is_offline=True,
    needs_secret=True,
)

F2POOL_V1 = Spec(
    "f2pool_v1",
    "{base}/{coin}/{account}",
    "workers",
    RowPlaces("[0]", "[6]", "[1]"),
    _TWO_MINUTES_APART,
    "https://api.f2pool.com",
    "bitcoin",
    headers={"F2P-API-SECRET": "{secret}"},
    absent_is_offline=True,
)

VIABTC = Spec(
    "viabtc",
    "{base}/res/openapi/v1/hashrate/worker?coin={coin}&page={page}&limit=100",
    "data.data",
    RowPlaces("worker_name", "last_active", "hashrate_10min"),
    _TWO_MINUTES_APART,
    "https://www.viabtc.net",
    "BTC",
    headers={"X-API-KEY": "{secret}"},
    errors=(
        ErrorPlace(
            "code",
            frozenset({"0"}),
            codes={
                "5003": "unknown_account",
                "12001": "unauthorized",  # the key
                "12002": "unauthorized",  # the signature
                "12003": "unauthorized",  # its time
                "12004": "unauthorized",  # our address is not on the owner's list
            },
        ),
    ),
    paging=Paging(1, more="data.has_next"),
    needs_secret=True,
)

LUXOR = Spec(
    "luxor",
    "{base}/api/v2/pool/workers/{coin}?subaccount_names={account}&page_number={page}&page_size=100",
    "workers",
    RowPlaces("name", "last_share_time", "hashrate"),
    _TWO_MINUTES_APART,
    "https://app.luxor.tech",
    "BTC",
    headers={"authorization": "{secret}"},
    errors=(ErrorPlace("error", words={"unauthorized": "unauthorized", "bad request": "unknown_account"}),),
    paging=Paging(1, more="pagination.next_page_url"),
    needs_secret=True,
)

# `statusTime` is not the time of a share: who is said to mine is seen now, else it is not at work since then.
NICEHASH = Spec(
    "nicehash",
    "{base}/main/api/v2/mining/external/{account}/rigs2?size=100&page={page}",
    "miningRigs",
    RowPlaces(
        "name",
        "statusTime",
        "stats[*].speedAccepted",
        "TH/s",
        online="minerStatus",
        online_words=frozenset({"mining"}),
        offline_words=frozenset({"offline"}),
        online_is_now=True,
    ),
    _FIFTEEN_MINUTES,
    "https://api2.nicehash.com",
    kind=LastSeenKind.STATUS,
    errors=(ErrorPlace("errors[0].message", words={"address": "unknown_account"}),),
    paging=Paging(0, total="pagination.totalPageCount"),
)


def _open_ethereum(key: str, base: str, coin: str = "") -> Spec:
    row = RowPlaces(KEY, "lastBeat", "hr")
    url = "{base}/api/accounts/{account}"
    return Spec(key, url, "workers", row, _FIFTEEN_MINUTES, base, coin, as_of="updatedAt", null_is_empty=True)


TWO_MINERS = _open_ethereum("2miners", "https://{coin}.2miners.com")
SOLOPOOL = _open_ethereum("solopool", "https://{coin}.solopool.org", "btc")

# A hashrate of 0 beside a young share happens: the share counts.
PARASITE = Spec(
    "parasite",
    "{base}/api/user/{account}",
    "workerData",
    RowPlaces("name", "lastSubmission", "hashrate"),
    _FIFTEEN_MINUTES,
    "https://parasite.space",
)

HEROMINERS = Spec(
    "herominers",
    "{base}/api/stats_address?address={account}&longpoll=false",
    "workers",
    RowPlaces("name", "lastShare", "hashrate"),
    _FIFTEEN_MINUTES,
    "https://{coin}.herominers.com",
    errors=(ErrorPlace("error", words={"not found": "unknown_account"}),),
)

# The unit of its hashrate differs from coin to coin: it is not read. At most 30 calls a minute.
NANOPOOL = Spec(
    "nanopool",
    "{base}/v1/{coin}/workers/{account}",
    "data",
    RowPlaces("id", "lastShare"),
    Timing(poll_seconds=120, offline_seconds=900, apart_seconds=3),
    "https://api.nanopool.org",
    errors=(ErrorPlace("error", words={"not found": "unknown_account"}),),
)
