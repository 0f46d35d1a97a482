# SPDX-License-Identifier: Apache-2.0
"""beside.py - how soon a platform is called after a webhook was answered, alone, and beside platforms and firms that hang.

Both ends are here, on one loop of one thread, so that one clock has both times: couriers that post webhooks at a rate, and
every platform. Dükkango answers at once; the others are connected, and say nothing, or a byte a second, for as long as it
lasts, each with as many calls as it may have.
"""
import asyncio, concurrent.futures, contextlib, json, re, tempfile, time

from figures import Figure, Group, within
from server import ADMIN, BUILD, ORDER, bearer, call, kuryed

RATE = 1000  # webhooks a second
JAMMED, P95_MS = 192, 10  # calls that hang meanwhile
RESTAURANTS = 16  # whose orders are moved: 4 calls at once each
COURIERS = 32  # connections, each of which waits for its answer
STUCK = {"getiryemek": {"appSecretKey": "a", "restaurantSecretKey": "b"},
         "trendyolyemek": {"supplierId": "1", "apiKey": "a", "apiSecret": "b", "agentName": "c", "executorUser": "d@e.f"},
         "migrosyemek": {"apiKey": "a", "integratorSecret": "x" * 32}}
REFS = {"migrosyemek": {"storeId": 1}}
TOLD = re.compile(rb"PUT \S*/ontheway/00000000-0000-0000-0000-(\w{12})")
LOGIN = b'{"status":true,"data":{"access_token":"token","expiration_date":"2099-01-01 00:00:00"}}'
DONE = b'{"status":true,"data":"OK"}'


def reply(body):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Good(asyncio.Protocol):
    """Dükkango: `told` is when each order was first told, by its number."""

    def __init__(self, told):
        self.told, self.rest = told, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        now, self.rest = time.monotonic(), self.rest + data
        while (end := self.rest.find(b"\r\n\r\n")) >= 0:
            size = re.search(rb"Content-Length: (\d+)", self.rest[:end])
            whole = end + 4 + (int(size[1]) if size else 0)
            if len(self.rest) < whole:
                return
            if found := TOLD.match(self.rest):
                self.told.setdefault(int(found[1], 16), now)
            self.transport.write(reply(LOGIN if self.rest.startswith(b"POST") else DONE))
            self.rest = self.rest[whole:]


class Bad(asyncio.Protocol):
    """Who says a byte a second, or nothing."""

    def __init__(self, count, drips):
        self.count, self.drips, self.gone = count, drips, False

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, _):
        self.gone = True

    def data_received(self, _):
        self.count.append(1)
        if self.drips:
            self._drip()

    def _drip(self, text=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 9999):
        if not self.gone:
            self.transport.write(text[:1])
            asyncio.get_running_loop().call_later(1, self._drip, text[1:])


async def serve(make):
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, backlog=512)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def come(moment):
    """Waits for a moment of time.monotonic(), which is the loop's clock."""
    there = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_at(moment, there.set_result, None)
    await there


async def post(jobs, address, began, rate, answered):
    """One courier's connection: a webhook at its time, then its answer."""
    reader, writer = await asyncio.open_connection(*address.rsplit(":", 1))
    while (job := next(jobs, None)) is not None:
        at, (number, order, key, restaurant) = job
        body = json.dumps({"restaurantId": restaurant, "orderId": order, "status": 1}).encode()
        await come(began + at / rate)
        writer.write(b"POST /api/v1/webhook/courier/status-update HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                     b"x-api-key: %s\r\nContent-Length: %d\r\n\r\n%s" % (key.encode(), len(body), body))
        head = await reader.readuntil(b"\r\n\r\n")
        answered[number] = time.monotonic()
        await reader.readexactly(int(re.search(rb"Content-Length: (\d+)", head)[1]))
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a webhook was answered {head[:40]}")
    writer.close()


async def until(good, what):
    for _ in range(1200):
        if good():
            return
        await come(time.monotonic() + 0.05)
    raise RuntimeError(f"not within a minute: {what}")


class Beside:
    """`start(settings)` is a context that gives a kuryed's URL; `call(url, method, path, token, body)` its API."""

    def __init__(self, start, call, admin, order):
        self.start, self.call, self.admin, self.order = start, call, admin, order
        self.told, self.answered, self.count = {}, {}, []

    def place(self, url):
        made = self.call(url, "POST", "/restaurants", self.admin, {"name": "Bench"})
        firm = {"name": "Bench", "dispatchUrl": self.firm} if self.firm else {"name": "Bench"}
        path = f"/restaurants/{made['restaurantId']}"
        return made["restaurantId"], made["token"], self.call(url, "POST", f"{path}/courier-integrations", made["token"], firm)["apiKey"]

    def connect(self, url, place, platform, credentials):
        self.call(url, "PUT", f"/restaurants/{place[0]}/platforms/{platform}", place[1], {"enabled": True, "credentials": credentials})

    def make(self, url, place, platform, number, **more):
        body = {**self.order, "platform": platform, "platformOrderId": f"00000000-0000-0000-0000-{number:012x}", **more}
        del body["orderId"]
        return self.call(url, "POST", "/orders", place[1], body)["orderId"]

    def jam(self, url, number):
        """What is owed to who hangs: at each platform four calls of an account, and four of a firm's."""
        place = self.place(url)
        for platform, credentials in STUCK.items():
            self.connect(url, place, platform, credentials)
            for n in range(4):
                mark = str(4 * number + n + 1)
                order = self.make(url, place, platform, 0, platformOrderId=f"{mark:0>24}" if platform == "getiryemek" else mark,
                                  status="hazir", orderType="paket_servis" if n == 0 else "gel_al", platformRef=REFS.get(platform))
                self.call(url, "PUT", f"/orders/{order}/status", place[1], {"status": "teslim-edilecek"})

    def fill(self, url, orders):
        places = [self.place(url) for _ in range(RESTAURANTS)]
        for place in places:
            self.connect(url, place, "dukkango", {"appSecretKey": "a", "restSecretKey": "b"})
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            made = pool.map(lambda n: self.make(url, places[n % RESTAURANTS], "dukkango", n), range(orders))
            return [(n, order, places[n % RESTAURANTS][2], places[n % RESTAURANTS][0]) for n, order in enumerate(made)]

    async def run(self, jammed, rate, seconds):
        """ms from each webhook's answer to the platform's call, sorted."""
        loop = asyncio.get_running_loop()
        good, where = await serve(lambda: Good(self.told))
        bad = [await serve(lambda drips=drips: Bad(self.count, drips)) for drips in (False, True, False)]
        firm, self.firm = await serve(lambda: Bad(self.count, True))
        self.firm = jammed and self.firm
        settings = {"KURYE_DUKKANGO_URL": where, "KURYE_DUKKANGO_POLL": "10m", "KURYE_OUTBOUND_ALLOW": "127.0.0.0/8",
                    "KURYE_OUTBOUND_TIMEOUT": "2m", "KURYE_LEASE_SLACK": "10s", "KURYE_GETIRYEMEK_STEP_WAIT": "1ms",
                    **{f"KURYE_{name.upper()}_URL": address for name, (_, address) in zip(STUCK, bad)}}
        with self.start(settings) as address:
            url = f"http://{address}"
            if jammed:
                with concurrent.futures.ThreadPoolExecutor(16) as pool:
                    await asyncio.gather(*[loop.run_in_executor(pool, self.jam, url, n) for n in range(16)])
                await until(lambda: len(self.count) >= jammed, f"{len(self.count)} of {jammed} calls hang")
            self.firm = None
            jobs = await loop.run_in_executor(None, self.fill, url, rate * seconds)
            feed, began = iter(enumerate(jobs)), time.monotonic()
            await asyncio.gather(*[post(feed, address, began, rate, self.answered) for _ in range(COURIERS)])
            took = time.monotonic() - began
            await until(lambda: len(self.told) == len(jobs), "all are told")
        if took > 1.1 * seconds:
            raise RuntimeError(f"{len(jobs) / took:.0f} webhooks/s were posted, not {rate}")
        for server in (good, firm, *[one for one, _ in bad]):
            server.close()
        return sorted(1000 * max(0, self.told[n] - self.answered[n]) for n in self.told)

    def measure(self, jammed, rate, seconds):
        return asyncio.run(self.run(jammed, rate, seconds))


@contextlib.contextmanager
def embedded(settings):
    """Where a fresh one is."""
    with tempfile.TemporaryDirectory(dir=BUILD) as folder, kuryed(f"sqlite:{folder}/bench.db", **settings) as server:
        yield server.url.removeprefix("http://")


def delays(jammed, rate, seconds, start=embedded):
    def ask(url, method, path, token, body=None):
        return call(url, method, path, bearer(token), body)
    return Beside(start, ask, ADMIN, ORDER).measure(jammed, rate, seconds)


def p95(sorted_ms):
    return sorted_ms[len(sorted_ms) * 95 // 100]


def runs(run):
    seconds = run.pick(3, 6)
    for _ in range(run.repeats):
        yield {"jammed": p95(delays(JAMMED, RATE, seconds)), "alone": p95(delays(0, RATE, seconds))}


FIGURE = f"answered to platform called, p95 at {RATE:,}/s, {JAMMED} hang"
GROUPS = [Group("beside", [
    within(FIGURE, "ms", P95_MS, lambda run: run["jammed"]),
    Figure(f"{FIGURE}, beside none", "ms", "the same, none hangs", lambda run: (run["jammed"], run["alone"]), "≤ 1.2")], runs)]
