/* SPDX-License-Identifier: Apache-2.0 */
/* live.js - what happens, as it happens: a WebSocket that comes back by itself from where it was; where none can be had,
 * questions in its place. What is shown is never called live unless it is. */
import { call, post } from './api.js';

const ASK_MS = 10000;    /* between two questions while there is no socket */
const SILENT_MS = 25000; /* after which the socket's silence is checked: a dead network says nothing */
const BACK_MAX_MS = 15000;

export class Live {
  /* on: order(order, previousStatus), failed(delivery), state('live' | 'asking' | 'lost') */
  constructor(on) {
    this.on = on;
    this.since = null;
    this.heard = 0;
    this.tries = 0;
    this.timer = setInterval(() => this.look(), 5000);
    addEventListener('online', this.again = () => this.connect());
    addEventListener('offline', this.gone = () => this.say('lost'));
  }

  /* Everything after `since`, a time of the server's. */
  start(since) {
    this.since = since;
    this.connect();
  }

  stop() {
    clearInterval(this.timer);
    clearTimeout(this.later);
    removeEventListener('online', this.again);
    removeEventListener('offline', this.gone);
    this.stopped = true;
    this.socket?.close();
  }

  say(state) {
    if (state === this.state || this.stopped) return;
    this.state = state;
    this.on.state(state);
  }

  async connect() {
    const turn = (this.turn = (this.turn ?? 0) + 1);

    clearTimeout(this.later);
    this.socket?.close();
    this.socket = null;
    if (this.stopped) return;
    try {
      const { ticket } = await post('/api/v1/events/ticket');
      if (turn !== this.turn || this.stopped) return;
      const where = new URL(`/api/v1/events?ticket=${encodeURIComponent(ticket)}&since=${encodeURIComponent(this.since)}`, location.href);

      where.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
      const socket = (this.socket = new WebSocket(where));
      socket.onmessage = (event) => this.take(JSON.parse(event.data));
      socket.onclose = () => socket === this.socket && this.broke();
    } catch (error) {
      if (turn === this.turn && error.status !== 401) this.broke();
    }
  }

  broke() {
    this.socket = null;
    if (this.stopped) return;
    this.tries += 1;
    this.ask();
    this.later = setTimeout(() => this.connect(), Math.min(BACK_MAX_MS, 500 * 2 ** this.tries) * (0.75 + Math.random() / 2));
  }

  take(message) {
    this.heard = Date.now();
    if (message.type === 'hello') {
      this.tries = 0;
      this.say('live');
      return;
    }
    if (message.at > this.since) this.since = message.at;
    if (message.type === 'order.updated') this.on.order(message.order, message.previousStatus);
    if (message.type === 'delivery.failed') this.on.failed(message.delivery);
  }

  /* Where there is no socket: what has changed since. */
  async ask() {
    try {
      const page = await call('GET', `/api/v1/orders?limit=200&since=${encodeURIComponent(this.since)}`);

      for (const order of page.data.reverse()) {
        if (order.updatedAt > this.since) this.since = order.updatedAt;
        this.on.order(order, undefined);
      }
      this.heard = Date.now();
      this.say(this.socket?.readyState === WebSocket.OPEN ? 'live' : 'asking');
      return page.data.length;
    } catch {
      this.say('lost');
      return 0;
    }
  }

  /* Twice a minute: is it as quiet as it seems? */
  async look() {
    const quiet = Date.now() - this.heard;

    if (this.stopped || !this.since) return;
    if (this.socket?.readyState === WebSocket.OPEN ? quiet < SILENT_MS : quiet < ASK_MS) return;
    const missed = await this.ask();
    if (missed > 0 && this.socket) this.connect(); /* it should have told us */
    if (this.state === 'lost' && this.socket) this.connect();
  }
}
