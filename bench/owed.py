# SPDX-License-Identifier: Apache-2.0
"""owed.py - durable webhooks of which each owes a platform a call: what kuryed uses until all are made.

The platform is nginx, which answers at once and by itself. Beside it the echo of embedded.py, that calls nobody.
"""
import contextlib, pathlib, socket, subprocess, tempfile, threading

import load
from figures import Failed, Figure, Group
from server import BUILD, RESTAURANT, cpu_seconds, kuryed, running

CONNECTIONS = 64
PLATFORM = "dukkango"
CALLED = f'kuryed_deliveries_total{{platform="{PLATFORM}",result="done"}}'
MOVED = 'kuryed_webhooks_total{outcome="moved"}'
WEBHOOKS = 4000  # a time: the calls go on after them
PATIENCE_S = 60
CONFIG = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/errors error;
events {{ worker_connections 1024; }}
http {{
        access_log off;
        client_body_temp_path {folder}/body;
        proxy_temp_path {folder}/proxy;
        fastcgi_temp_path {folder}/fastcgi;
        uwsgi_temp_path {folder}/uwsgi;
        scgi_temp_path {folder}/scgi;
        keepalive_requests 1000000000;
        default_type application/json;
        server {{
                listen {address};
                location / {{ return 200 '{{"status":true,"data":"OK"}}'; }}
                location ~ /login$ {{
                        return 200 '{{"status":true,"data":{{"access_token":"token","expiration_date":"2099-01-01 00:00:00"}}}}';
                }}
        }}
}}
"""


@contextlib.contextmanager
def platform(folder):
    """Its address. nginx takes over a socket that is named so, as it does from its predecessor when it is upgraded."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        address, config = "%s:%d" % listener.getsockname(), pathlib.Path(folder, "nginx.conf")
        config.write_text(CONFIG.format(folder=folder, address=address))
        with running(["/usr/sbin/nginx", "-p", folder, "-c", config, "-e", f"{folder}/errors"], pass_fds=[listener.fileno()],
                     stdin=subprocess.DEVNULL, env={"NGINX": f"{listener.fileno()};"}):
            yield "http://" + address


def called(server, calls):
    """When so many calls are made, and no more."""
    for _ in range(2 * PATIENCE_S):
        made = server.metric(CALLED)
        if made >= calls:
            break
        threading.Event().wait(0.5)  # to ask costs, too
    if made != calls:
        raise Failed(f"{made:.0f} of {calls:.0f} calls were made")


def measure(folder):
    with platform(folder) as address, \
            kuryed(f"sqlite:{folder}/bench.db", KURYE_DUKKANGO_URL=address, KURYE_OUTBOUND_ALLOW="127.0.0.0/8",
                   KURYE_DUKKANGO_POLL="10m") as server:
        token, key = server.provision()
        server.call("PUT", f"/restaurants/{RESTAURANT}/platforms/{PLATFORM}", token,
                    {"enabled": True, "credentials": {"appSecretKey": "a", "restSecretKey": "b"}})
        load.orders(server, token, 2, PLATFORM)
        used = cpu_seconds(server.pid)
        ours = load.webhooks(server, key, CONNECTIONS, 1, count=WEBHOOKS)
        moved = server.metric(MOVED)  # with those whose answer the end of the load cut
        called(server, moved)
        return ours | {"cpu": (cpu_seconds(server.pid) - used) / moved * 1e6}


def runs(run):
    for _ in range(run.repeats):
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            yield {"echo": load.echo(CONNECTIONS, 1), "ours": measure(folder)}


GROUPS = [Group("owed", [
    Figure(f"CPU per webhook with one call owed, {CONNECTIONS} connections", "µs", "echo", lambda run: (run["ours"]["cpu"], run["echo"]["cpu"]))], runs)]
