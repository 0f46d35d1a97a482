# SPDX-License-Identifier: Apache-2.0
"""server.py - kuryed as it is measured: built for release, started, with a restaurant and a courier firm in it."""
import base64, contextlib, json, os, pathlib, re, subprocess, sys, time, urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
RESTAURANT = "507f1f77bcf86cd799439011"
ORDER = {"platform": "phone", "platformOrderId": "1", "orderId": f"{1:024d}", "price": 125.5, "paymentMethod": "card",
         "items": [{"name": "Lahmacun", "quantity": 2}],
         "customer": {"details": {"name": "A B", "phone": "+905551234567"},
                      "address": {"detailedAddress": "Bağdat Caddesi 123"}}}
ADMIN = "bench-admin-token-of-32-characters-or-more"
ENVIRONMENT = {"KURYE_LISTEN": "127.0.0.1:0", "KURYE_OPS_LISTEN": "127.0.0.1:0", "KURYE_ADMIN_TOKEN": ADMIN,
               "KURYE_SECRET_KEY": "bench:" + base64.b64encode(os.urandom(32)).decode()}


def build():
    commands = [["ninja", "-C", BUILD, "kuryed", "bench"]]
    if not (BUILD / "build.ninja").exists():
        commands.insert(0, ["meson", "setup", BUILD, ROOT, "--buildtype=release", "-Dtests=disabled"])
    for command in commands:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(done.stdout)


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(command, text=True, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def cpu_seconds(pid):
    """What all its threads have used, of those that ended too: clock_getcpuclockid(3), which Python has not."""
    return time.clock_gettime(~pid << 3 | 2)


def memory(pid):
    """Resident MiB, shared pages included: it is what no neighbour makes smaller (PSS would be, by each process that maps
    the same libraries), and so never says too little. Counted page by page; VmRSS may lag behind by some for each thread."""
    return int(re.search(r"^Rss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1]) / 1024


def bearer(token):
    return {"Authorization": "Bearer " + token}


def call(url, method, path, credential, body=None):
    request = urllib.request.Request(url + "/api/v1" + path, body and json.dumps(body).encode(), method=method,
                                     headers={"Content-Type": "application/json"} | credential)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["data"]


class Server:
    """One that runs."""

    def __init__(self, process, line):
        self.pid, self.url, self.ops = process.pid, "http://" + line["listen"], "http://" + line["opsListen"]

    def call(self, method, path, token, body=None):
        return call(self.url, method, path, bearer(token), body)

    def provision(self):
        """A restaurant's token and a courier firm's key."""
        made = self.call("POST", "/restaurants", ADMIN, {"name": "Bench", "restaurantId": RESTAURANT})
        firm = self.call("POST", f"/restaurants/{RESTAURANT}/courier-integrations", ADMIN, {"name": "Bench"})
        return made["token"], firm["apiKey"]

    def ping(self, key):
        """So that it keeps the key in mind."""
        call(self.url, "GET", "/webhook/courier/ping", {"x-api-key": key})

    def metric(self, start):
        """The sum of the series that begin so."""
        with urllib.request.urlopen(self.ops + "/metrics", timeout=10) as answer:
            return sum(float(line.split()[-1]) for line in answer.read().decode().splitlines() if line.startswith(start))


@contextlib.contextmanager
def kuryed(store, **more):
    with running([BUILD / "kuryed"], env=ENVIRONMENT | {"KURYE_STORE": store} | more, stderr=subprocess.PIPE) as process:
        line = next((json.loads(line) for line in process.stderr if '"listening"' in line), None)
        if not line:
            sys.exit(f"bench: kuryed does not start on {store.partition(':')[0]}")
        yield Server(process, line)
