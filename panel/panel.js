/* SPDX-License-Identifier: Apache-2.0 */
/* panel.js - logging in, and the frame around the three views: board, problems, settings. */
import { call, onApi, serverNow, token } from './api.js';
import { Board } from './board.js';
import { announce, button, el, field, replace } from './dom.js';
import { Failures } from './failures.js';
import { Live } from './live.js';
import { Settings } from './settings.js';
import { chime, sound } from './sound.js';
import { language, moment, switchLanguage, t } from './words.js';

const app = document.getElementById('app');
let frame = null;

/* ---- logging in ---- */

async function own(bearer) {
  const restaurants = (await call('GET', '/api/v1/restaurants', undefined, bearer)).data;

  return restaurants[0];
}

/* A device that is to remember gets a token of its own, which can be revoked without touching any other. */
async function logIn(text, keep, device) {
  const restaurant = await own(text);
  let bearer = text;

  if (keep)
    bearer = (await call('POST', `/api/v1/restaurants/${restaurant.restaurantId}/tokens`, { name: device }, text)).data.token;
  token.keep(bearer, keep);
  open(restaurant);
}

function showLogin(why = null) {
  const text = field(t('login_token'), { type: 'password', name: 'token', required: true, autofocus: true }, t('login_hint'));
  const keep = field(t('login_keep'), { type: 'checkbox', name: 'keep' });
  const device = field(t('login_device'), { name: 'device', maxlength: '100', value: t('login_device_standard') }, t('login_device_hint'));
  const trouble = el('p', { class: 'trouble', role: 'alert' }, why ?? '');

  frame?.end();
  frame = null;
  device.hidden = true;
  keep.control.addEventListener('change', () => { device.hidden = !keep.control.checked; });
  document.title = t('login_title');
  replace(app, el('main', { class: 'login' },
    el('form', { onsubmit: async (event) => {
      event.preventDefault();
      trouble.textContent = '';
      try {
        await logIn(text.control.value.trim(), keep.control.checked, device.control.value.trim() || t('login_device_standard'));
      } catch (error) {
        trouble.textContent = error.status === 401 || error.status === 403 ? t('login_bad') : error.message;
      }
    } }, el('h1', {}, t('login_title')), text, keep, device, el('button', { class: 'main' }, t('login')), trouble,
    el('button', { type: 'button', class: 'quiet', onclick: () => { switchLanguage(); showLogin(); } }, t('language')))));
}

/* ---- the frame ---- */

class Frame {
  constructor(restaurant) {
    this.restaurant = restaurant;
    this.state = 'connecting';
    this.path = `/api/v1/restaurants/${restaurant.restaurantId}`;
    this.board = new Board(this);
    this.failures = new Failures(this);
    this.live = new Live({
      order: (order, previous) => this.take(order, previous),
      failed: (delivery) => this.failures.add(delivery),
      state: (state) => this.say(state),
    });
    this.pulse = setInterval(() => this.tick(), 5000);
    this.turned = () => this.show();
    addEventListener('hashchange', this.turned);
    this.draw();
    this.begin();
  }

  end() {
    this.live.stop();
    clearInterval(this.pulse);
    removeEventListener('hashchange', this.turned);
  }

  /* What happens while it loads is told again from a little before. */
  async begin() {
    try {
      const began = new Date(serverNow() - 60000).toISOString();

      await this.board.load();
      await this.failures.load();
      this.heardAt = new Date();
      this.live.start(began);
    } catch (error) {
      if (error.status === 401) return;
      this.say('lost');
      this.retry = setTimeout(() => frame === this && this.begin(), 3000);
    }
  }

  take(order, previous) {
    const isNew = this.board.take(order);

    this.heardAt = new Date();
    if (isNew && !previous) {
      announce(`${t('new_order')}: ${order.displayId ?? order.orderId.slice(-4)}`);
      chime();
    }
    this.failures.heard(order);
  }

  say(state) {
    this.state = state;
    if (state !== 'lost') this.heardAt = new Date();
    if (state === 'lost') announce(t('lost'));
    this.drawState();
  }

  tick() {
    if (this.state !== 'lost') this.heardAt = new Date();
    this.board.tick();
    this.drawState();
  }

  drawState() {
    if (!this.pill) return;
    this.pill.className = `pill ${this.state}`;
    replace(this.pill, t(this.state));
    document.body.classList.toggle('stale', this.state === 'lost' || this.state === 'connecting');
    this.banner.hidden = this.state !== 'lost';
    replace(this.banner, t('lost'), this.heardAt ? ` (${t('last_heard')}: ${moment(this.heardAt)})` : '');
  }

  drawCount(n) {
    this.problems = n;
    if (this.count) {
      this.count.textContent = n ? String(n) : '';
      this.count.hidden = !n;
    }
  }

  draw() {
    const link = (hash, word, extra = null) => el('a', { href: hash, 'data-view': hash }, t(word), extra);
    const sounds = el('button', { type: 'button', class: 'quiet', 'aria-pressed': String(sound.isOn()), onclick: () => {
      sound.turn();
      sounds.setAttribute('aria-pressed', String(sound.isOn()));
      sounds.textContent = t(sound.isOn() ? 'sound_on' : 'sound_off');
    } }, t(sound.isOn() ? 'sound_on' : 'sound_off'));

    document.documentElement.lang = language();
    this.pill = el('span', { class: 'pill', role: 'status' });
    this.banner = el('div', { class: 'banner', role: 'alert', hidden: true });
    this.count = el('span', { class: 'count', hidden: true });
    this.content = el('main', { id: 'content', tabindex: '-1' });
    replace(app,
      el('header', { class: 'top' },
        el('strong', { class: 'name' }, this.restaurant.name), this.pill,
        el('nav', { 'aria-label': t('title') }, link('#board', 'board'), link('#failures', 'failures', this.count), link('#settings', 'settings')),
        el('div', { class: 'switches' }, sounds,
          el('button', { type: 'button', class: 'quiet', onclick: () => { switchLanguage(); this.draw(); } }, t('language')),
          button(t('logout'), () => { token.forget(); showLogin(); }, { class: 'quiet' }))),
      this.banner, this.content);
    this.drawCount(this.problems ?? 0);
    this.drawState();
    this.show();
  }

  show() {
    const view = ['#failures', '#settings'].includes(location.hash) ? location.hash : '#board';

    document.title = `${t(view.slice(1))} · ${this.restaurant.name}`;
    for (const link of app.querySelectorAll('nav a'))
      link.toggleAttribute('aria-current', link.dataset.view === view);
    if (view === '#failures') this.failures.draw(this.content);
    else if (view === '#settings') new Settings(this).draw(this.content);
    else this.board.draw(this.content);
  }
}

function open(restaurant) {
  frame?.end();
  frame = new Frame(restaurant);
}

onApi({
  unauthorized: () => { token.forget(); showLogin(t('logged_out')); },
  lostWord: () => t('unreachable'),
});

/* A server that is not there yet is waited for: the token is still good. */
async function begin() {
  document.documentElement.lang = language();
  if (!token.get()) return showLogin();
  try {
    open(await own(token.get()));
  } catch (error) {
    if (error.status === 401) return;
    replace(app, el('main', { class: 'login' }, el('p', { class: 'trouble', role: 'alert' }, error.message), el('p', {}, t('connecting'))));
    setTimeout(begin, 3000);
  }
}

begin();
