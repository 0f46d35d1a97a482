# SPDX-License-Identifier: Apache-2.0
"""story.py - what tools/demo plays: the real binary, a pretend platform and courier firm, one order, one webhook.

Needs nothing but Python's own library, and python3-cryptography for Migros Yemek. The pretend others and the child process are those of the end-to-end tests: what the demo shows is what is tested.
usage: KURYED=<binary> story.py [--once] [--platform NAME] [MongoDB's URI without a database]
"""

import argparse
import base64
import contextlib
import importlib
import json
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / 'tests' / 'e2e'))
from process import Kuryed  # noqa: E402

# The ids of the integration page that courier firms know.
RESTAURANT = '507f1f77bcf86cd799439011'
ORDER = '507f1f77bcf86cd799439012'
WEBHOOK = '/api/v1/webhook/courier/status-update'
WAIT = 10.0
# Our word, what people call it, and what it is told when the courier sets out and when it is there.
OWN = ['accept', 'on-the-way']
ALL = {'getiryemek': ('GetirYemek', OWN, ['delivered']), 'yemeksepeti': ('YemekSepeti', OWN, []),
       'trendyolyemek': ('Trendyol Yemek', ['accept', 'ready', 'on-the-way'], ['delivered']),
       'migrosyemek': ('Migros Yemek', ['accept', 'ready', 'on-the-way'], ['delivered']),
       'dukkango': ('Dükkango', OWN, ['delivered']),
       'yandex': ('Yandex Eats', ['TAKEN_BY_COURIER'], ['DELIVERED'])}   # not told: seen when it asks
STEP_WAIT = 1  # seconds that a platform wants between two steps, a minute in the world outside


class Surprise(Exception):
    """Something did not go as the story has it."""


def expect(held, what):
    if not held:
        raise Surprise(what)


def say(text):
    """One write, so that what the platform's threads say does not cut into it."""
    sys.stdout.write(text + '\n')
    sys.stdout.flush()


def pretty(document):
    return '\n'.join('     ' + line for line in json.dumps(document, ensure_ascii=False, indent=2).splitlines())


def pretend(name, called):
    """The fake of the tests, which shows each call as it comes in, and what was answered."""
    class Pretend(getattr(importlib.import_module(f'fake_{name}'), f'Fake{name.capitalize()}')):
        word, title = name, called

        def take(self, call):
            answer = super().take(call)
            body = call.body.decode() if call.body and call.step != 'login' else ''
            say(f'     {self.title} received  {call.method} {call.path} {body} -> {call.status}')
            return answer

        def applied(self):
            with self.changed:
                return [call.step for call in self.calls if call.applied]
    made = Pretend()
    made.step_wait = STEP_WAIT
    made.settings, made.did = {f'KURYE_{name.upper()}_URL': made.url}, 'calls to'
    return made


class Asking:
    """Yandex Eats, which is never called: what YandexStory asks in its name, and what it was answered."""
    word, title, settings, did, violations = 'yandex', ALL['yandex'][0], {}, 'answers to', ()

    def __init__(self):
        self.seen = []

    def applied(self):
        return self.seen

    def close(self):
        pass


class Embedded:
    """A store in one file that goes with its folder."""
    name = 'an embedded store'

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='kuryed-demo-')
        self.setting = f'sqlite:{self.folder.name}/kurye.db'

    def close(self):
        self.folder.cleanup()


class Mongo:
    """A database of its own in a MongoDB, dropped at the end."""

    def __init__(self, uri):
        import pymongo   # only this store needs it
        self.client = pymongo.MongoClient(uri)
        self.database = f'kuryed_demo_{secrets.token_hex(4)}'
        address, _, options = uri.partition('?')
        self.setting = f'{address.rstrip("/")}/{self.database}' + (options and f'?{options}')
        self.name = f'the database {self.database} of a MongoDB'

    def close(self):
        self.client.drop_database(self.database)


class Server:
    """The binary on a store, as a client sees it."""

    def __init__(self, store, platform):
        self.admin_token = secrets.token_urlsafe(32)
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        self.process = Kuryed({
            'KURYE_LISTEN': '127.0.0.1:0', 'KURYE_OPS_LISTEN': '127.0.0.1:0',
            'KURYE_STORE': store.setting, **platform.settings,
            'KURYE_GETIRYEMEK_STEP_WAIT': f'{STEP_WAIT}s', 'KURYE_OUTBOUND_ALLOW': '127.0.0.0/8',
            'KURYE_ADMIN_TOKEN': self.admin_token, 'KURYE_SECRET_KEY': f'demo:{key}'})
        try:
            self.url = f'http://{self.process.log_contains(event="listening")["listen"]}'
        except AssertionError as error:
            self.process.kill()
            raise Surprise(f'the server did not start: {error}') from None
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method, path, body=None, status=200, **headers):
        """The answer's document; a status other than the expected one is a surprise."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {'Content-Type': 'application/json'}, method=method)
        for name, value in headers.items():
            request.add_header(name.replace('_', '-'), value)
        try:
            with self.opener.open(request, timeout=WAIT) as answer:
                got, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            got, text = answer.code, answer.read().decode()
        expect(got == status, f'{method} {path}: {got} instead of {status}: {text}')
        return json.loads(text)


class Story:
    def __init__(self, server, platform, firm):
        self.server, self.platform, self.firm = server, platform, firm
        self.id, self.restaurant_token, self.key, self.number = ORDER, None, None, None
        _, self.first, self.rest = ALL[platform.word]

    def restaurant(self, method, path, body=None, status=200):
        return self.server.call(method, path, body, status, Authorization=f'Bearer {self.restaurant_token}')['data']

    def order(self):
        return self.restaurant('GET', f'/api/v1/orders/{self.id}')

    def set_up(self):
        made = self.server.call('POST', '/api/v1/restaurants',
                                {'name': 'Deneme Lokantası', 'restaurantId': RESTAURANT}, 201,
                                Authorization=f'Bearer {self.server.admin_token}')['data']
        expect(made['restaurantId'] == RESTAURANT, f'the restaurant is {made}')
        self.restaurant_token = made['token']
        path = f'/api/v1/restaurants/{RESTAURANT}'
        account = self.connect(f'{path}/platforms/{self.platform.word}')
        address = self.firm.firm()
        made = self.restaurant('POST', f'{path}/courier-integrations',
                               {'name': 'Hızlı Kurye', 'dispatchUrl': address['url']}, 201)
        address['secrets'].append(made['signingSecret'])
        self.key = made['apiKey']
        self.bring(account)

    def connect(self, path):
        account = self.platform.account()
        self.restaurant('PUT', path, {'enabled': True, 'credentials': account})
        return account

    def bring(self, account):
        self.number, reference = self.platform.hold(account, 'yeni')
        self.restaurant('POST', '/api/v1/orders', {
            'orderId': ORDER, 'platform': self.platform.word, 'platformOrderId': self.number,
            'platformRef': reference, 'status': 'yeni',
            'price': 125.5, 'paymentMethod': 'card', 'hazirlanmaSuresiDk': 15, 'orderNote': 'İnce hamur olsun lütfen',
            'customer': {'address': {'detailedAddress': 'Bağdat Caddesi No: 123, Daire: 8, Kadıköy, İstanbul'},
                         'details': {'name': 'Ahmet Yılmaz', 'phone': '+905551234567'}}}, 201)

    def reaches(self, status, steps, end='done'):
        """The platform was told all these steps in this order, once each, and the order says so."""
        self.platform.received(steps[-1], timeout=WAIT)
        until = time.monotonic() + WAIT
        while True:
            order = self.order()
            state = owed(order)
            if state == end:
                break
            expect(time.monotonic() < until, f'the delivery is still {state}: {order["deliveries"]}')
            threading.Event().wait(0.02)
        expect(order['status'] == status, f'the order is {order["status"]}, not {status}')
        expect(self.platform.applied() == steps, f'the platform was told {self.platform.applied()}')
        expect(not self.platform.violations, self.platform.violations)
        return order

    def curl(self, status):
        body = {'restaurantId': RESTAURANT, 'orderId': self.id, 'status': status}
        return (f'curl -X POST {self.server.url}{WEBHOOK} \\\n  -H "Content-Type: application/json" \\\n'
                f'  -H "x-api-key: {self.key}" \\\n  -d {shlex.quote(json.dumps(body))}')

    def play(self):
        self.set_up()
        say(f'1. Restaurant {RESTAURANT}, connected to {self.platform.title}, has a courier firm with a key of its own.')
        say(f'2. Order {self.id} has come in from {self.platform.title} ({self.number}):\n     {described(self.order())}')
        say(f'3. The restaurant calls a courier: POST /api/v1/orders/{self.id}/call-courier')
        self.restaurant('POST', f'/api/v1/orders/{self.id}/call-courier', {})
        self.firm.received('dispatch', timeout=WAIT)
        expect(self.firm.applied() == ['dispatch'], f'the courier firm was told {self.firm.applied()}: {self.firm.violations}')
        say(f'4. The courier sets out: POST {WEBHOOK} with status 1')
        answer = self.server.call('POST', WEBHOOK, {'restaurantId': RESTAURANT, 'orderId': self.id, 'status': 1},
                                  x_api_key=self.key)
        say(pretty(answer))
        expect(answer['success'] and answer['data']['status'] == 'teslim-edilecek', f'the webhook said {answer}')
        after = self.reaches('teslim-edilecek', self.first)
        say(f'5. The order has moved, and {self.platform.title} knows, what was missing included:\n     {described(after)}')

    def finish(self):
        """Does what the reader would: runs the curl."""
        say('6. It is delivered, by the curl that the demo prints:')
        command = ['bash', '-c', self.curl(2) + ' --silent --show-error --noproxy "*"']
        done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT, check=False)
        expect(done.returncode == 0, f'curl ended with {done.returncode}: {done.stderr}')
        answer = json.loads(done.stdout)
        say(pretty(answer))
        expect(answer.get('success'), f'the webhook said {answer}')
        end = 'done' if self.rest else 'skipped'  # there is no such call
        say(f'     {described(self.reaches("teslim-edildi", self.first + self.rest, end))}')

    def hand_over(self):
        say(f'\nThe server runs until Ctrl-C. Deliver the order:\n\n{self.curl(2)}\n\nand look at it:\n\n'
            f'curl -H "Authorization: Bearer {self.restaurant_token}" {self.server.url}/api/v1/orders/{self.id}\n')
        status = self.server.process.wait(None)
        raise Surprise(f'the server ended by itself with {status}')


class YandexStory(Story):
    """The same with the roles of caller and called changed."""

    def connect(self, path):
        return self.restaurant('PUT', path, {'enabled': True})

    def ask(self, method, path, body=None):
        answer = self.server.call(method, path, body, Authorization=f'Bearer {self.access}')
        say(f'     {self.platform.title} sent      {method} {path} -> {json.dumps(answer)}')
        return answer

    def bring(self, account):
        form = {'client_id': account['clientId'], 'client_secret': account['clientSecret'], 'grant_type': 'client_credentials'}
        self.access = self.server.call('POST', '/security/oauth/token', urllib.parse.urlencode(form).encode(),
                                       Content_Type='application/x-www-form-urlencoded')['access_token']
        self.number = '190330-12345678'
        self.id = self.ask('POST', '/order', {
            'discriminator': 'marketplace', 'eatsId': self.number, 'restaurantId': RESTAURANT,
            'paymentInfo': {'itemsCost': 125.5, 'paymentType': 'CARD'}, 'comment': 'İnce hamur olsun lütfen',
            'items': [{'id': 'p1', 'name': 'Lahmacun', 'quantity': 2, 'price': 62.75}],
            'deliveryInfo': {'clientName': 'Ahmet Yılmaz', 'phoneNumber': '+905551234567 ext. 4432', 'deliveryAddress': {
                'full': 'Bağdat Caddesi No: 123, Daire: 8, Kadıköy, İstanbul'}}})['orderId']
        self.restaurant('PUT', f'/api/v1/orders/{self.id}/status', {'status': 'hazirlanacak'})

    def reaches(self, status, steps, end='none'):
        told = self.ask('GET', f'/order/{self.id}/status')
        self.platform.seen.append(told['status'])
        expect(self.platform.applied() == steps, f'the platform was told {self.platform.applied()}')
        order = self.order()
        expect(order['status'] == status, f'the order is {order["status"]}, not {status}')
        return order


def described(order):
    history = ' -> '.join(f'{row["status"]} (by {row["by"]})' for row in order['history'])
    return f'status {order["status"]}; history {history or "empty"}; delivery to its platform {owed(order)}'


def owed(order):
    """The state of what the order owes its platform."""
    states = [delivery['state'] for delivery in order['deliveries'] if delivery['deliveryId'].endswith('-platform')]
    return states[0] if states else 'none'


def stopped(*_):
    raise KeyboardInterrupt


def told(store, name, once):
    """Plays the story on a server of its own; returns the exit status."""
    platform = Asking() if name == 'yandex' else pretend(name, ALL[name][0])
    firm = pretend('courier', 'The courier firm')
    server = Server(store, platform)
    say(f'kuryed runs on {server.url} with {store.name}, beside a pretend {platform.title} and a pretend courier firm.')
    try:
        story = (YandexStory if name == 'yandex' else Story)(server, platform, firm)
        story.play()
        if not once:
            story.hand_over()
        story.finish()
        status, took = server.process.stop(WAIT)
        expect(status == 0, f'the server stopped with {status}')
        say(f'The demo held: one order, two webhooks, {len(platform.applied())} {platform.did} its platform and one to a courier firm; stopped in {took * 1000:.0f} ms.')
        return 0
    except KeyboardInterrupt:
        say('')
        return 0 if not once else 130
    except (AssertionError, Surprise, OSError, LookupError, ValueError, subprocess.TimeoutExpired) as error:
        print(f'\nThe server\'s log ends with:\n{server.process.text()[-3000:]}', file=sys.stderr)
        raise Surprise(str(error)) from error
    finally:
        end(server.process)
        platform.close()
        firm.close()


def end(process):
    """Ctrl-C reaches the server as well, and a second signal would cut its clean stop short."""
    try:
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        process.stop(WAIT)


def main(*arguments):
    sys.stdout.reconfigure(encoding='utf-8')
    sys.stderr.reconfigure(encoding='utf-8')
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stopped)
    try:
        options = argparse.ArgumentParser()
        options.add_argument('--once', action='store_true')
        options.add_argument('--platform', choices=ALL, default='dukkango')
        options.add_argument('uri', nargs='?')
        given = options.parse_args(arguments)
        with contextlib.closing(Mongo(given.uri) if given.uri else Embedded()) as store:
            return told(store, given.platform, given.once)
    except Surprise as surprise:
        print(f'demo FAILED: {surprise}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
