/* SPDX-License-Identifier: Apache-2.0 */
/* board.js - the live board: a column for each state, oldest first, with what a cook must see on the card itself. */
import { all, put, serverNow } from './api.js';
import { button, el, replace } from './dom.js';
import { showOrder } from './order.js';
import { money, platformName, t, time } from './words.js';

export const STATUSES = ['yeni', 'hazirlanacak', 'hazirlaniyor', 'hazir', 'teslim-edilecek'];
export const FINAL = ['teslim-edildi', 'cancelled'];
const FINISHED_MS = 3 * 3600 * 1000; /* so long what is over stays in sight */
const FINISHED_MAX = 30;
/* What is mostly done next. */
const NEXT = { yeni: 'hazirlanacak', hazirlanacak: 'hazir', hazirlaniyor: 'hazir', hazir: 'teslim-edilecek', 'teslim-edilecek': 'teslim-edildi' };

export const code = (order) => order.displayId ?? `#${order.orderId.slice(-4)}`;

/* Until when it shall be ready; for a scheduled order that is its time. */
function due(order) {
  return order.scheduledDate ? Date.parse(order.scheduledDate) : Date.parse(order.createdAt) + order.hazirlanmaSuresiDk * 60000;
}

export class Board {
  constructor(frame) {
    this.frame = frame;
    this.orders = new Map();
    this.cards = new Map();
    this.chosen = 'yeni';
  }

  async load() {
    const since = new Date(serverNow() - FINISHED_MS).toISOString();
    const lists = await Promise.all([
      ...STATUSES.map((status) => all(`/api/v1/orders?status=${status}`)),
      ...FINAL.map((status) => all(`/api/v1/orders?status=${status}&since=${since}`, 200))]);

    this.orders.clear();
    for (const order of lists.flat()) /* one that moved meanwhile may stand in two lists */
      if (!(this.orders.get(order.orderId)?.rev > order.rev)) this.orders.set(order.orderId, order);
    if (this.columns) this.fill();
  }

  /* True where it was not known. What is older than what is shown is dropped. */
  take(order) {
    const known = this.orders.get(order.orderId);

    if (known && known.rev >= order.rev) return false;
    this.orders.set(order.orderId, order);
    if (this.columns) this.fill();
    return !known;
  }

  tick() {
    const cut = serverNow() - FINISHED_MS;

    for (const [id, order] of this.orders)
      if (FINAL.includes(order.status) && Date.parse(order.updatedAt) < cut) this.orders.delete(id);
    if (!this.columns?.isConnected) return;
    for (const mark of this.columns.querySelectorAll('[data-clock]')) {
      const order = this.orders.get(mark.dataset.clock);

      if (order) this.clock(mark, order);
    }
  }

  clock(mark, order) {
    const left = Math.round((due(order) - serverNow()) / 60000);
    const age = Math.max(0, Math.round((serverNow() - Date.parse(order.createdAt)) / 60000));
    const cooks = ['yeni', 'hazirlanacak', 'hazirlaniyor'].includes(order.status);

    mark.className = cooks && left < 0 ? 'clock late' : cooks && left <= 5 ? 'clock soon' : 'clock';
    mark.textContent = !cooks ? `${age} ${t('minutes')}`
      : left < 0 ? `${-left} ${t('minutes')} ${t('late')}` : `${left} ${t('minutes')} ${t('left')}`;
    mark.title = `${time(order.createdAt)} · ${age} ${t('minutes')} ${t('ago')}`;
  }

  move(order, status) {
    return async () => this.take(await put(`/api/v1/orders/${order.orderId}/status`, { status }));
  }

  card(order) {
    const next = NEXT[order.status];
    const mark = el('span', { 'data-clock': order.orderId });
    const badges = [order.orderType === 'gel_al' && t('pickup'), order.courierType === 'platform' && t('platform_courier'),
      order.scheduledDate && `${t('scheduled')} ${time(order.scheduledDate)}`, ...(order.badges ?? [])].filter(Boolean);

    this.clock(mark, order);
    return el('article', { class: `card ${order.status}`, 'data-order': order.orderId, 'data-rev': order.rev },
      el('header', {},
        el('button', { type: 'button', class: 'code', 'aria-label': `${t('details')} ${code(order)}`, onclick: () => showOrder(this.frame, order.orderId) }, code(order)),
        mark),
      order.items?.length ? el('ul', { class: 'items' }, order.items.map((item) => el('li', {},
        el('b', {}, `${item.quantity}×`), ' ', item.name,
        item.options?.length ? el('small', {}, item.options.join(', ')) : null,
        item.note ? el('em', {}, item.note) : null))) : null,
      order.orderNote ? el('p', { class: 'note' }, order.orderNote) : null,
      el('p', { class: 'badges' }, el('span', { class: 'platform' }, platformName(order.platform)),
        badges.map((badge) => el('span', {}, badge))),
      el('footer', {},
        el('span', {}, `${money(order.price)} · ${t(`payment.${order.paymentMethod}`)}`),
        next && button(t(`do.${next}`), this.move(order, next), { class: 'main', 'data-do': next })));
  }

  /* The card as it is, made anew only where the order has changed; whoever stood on its button stands there still. */
  cardOf(order) {
    const old = this.cards.get(order.orderId);

    if (old && old.dataset.rev === String(order.rev)) return old;
    const made = this.card(order);
    const focused = old?.contains(document.activeElement) ? document.activeElement.className : null;

    this.cards.set(order.orderId, made);
    old?.replaceWith(made);
    if (focused) made.querySelector(`.${focused.split(' ')[0]}`)?.focus();
    return made;
  }

  fill() {
    const sorted = [...this.orders.values()].sort((a, b) => due(a) - due(b));

    for (const column of this.columns.querySelectorAll('.column')) {
      const statuses = column.dataset.status.split(' ');
      let rows = sorted.filter((order) => statuses.includes(order.status));

      if (statuses.length > 1)
        rows = rows.sort((a, b) => b.updatedAt.localeCompare(a.updatedAt)).slice(0, FINISHED_MAX);
      const cards = rows.map((order) => this.cardOf(order));
      const list = column.querySelector('.cards');

      column.querySelector('.count').textContent = String(rows.length);
      this.columns.querySelector(`[data-tab="${column.dataset.status}"] .count`).textContent = String(rows.length);
      if (cards.length) place(list, cards);
      else replace(list, el('p', { class: 'none' }, t('nothing_here')));
    }
    for (const id of this.cards.keys()) if (!this.orders.has(id)) this.cards.delete(id);
  }

  draw(content) {
    const groups = [...STATUSES, FINAL.join(' ')];
    const word = (group) => (group.includes(' ') ? t('done_today') : t(`status.${group}`));
    const tabs = groups.map((group) => el('button', { type: 'button', 'data-tab': group, 'aria-pressed': String(group === this.chosen), onclick: () => {
      this.chosen = group;
      this.choose();
    } }, word(group), ' ', el('span', { class: 'count' })));

    this.cards.clear();
    this.columns = el('div', { class: 'board' }, el('div', { class: 'tabs', role: 'group', 'aria-label': t('title') }, tabs),
      el('div', { class: 'columns' }, groups.map((group) => el('section', { class: 'column', 'data-status': group, 'aria-label': word(group) },
        el('h2', {}, word(group), ' ', el('span', { class: 'count' })), el('div', { class: 'cards' })))));
    replace(content, this.columns);
    this.choose();
    this.fill();
  }

  /* On a phone one column at a time. */
  choose() {
    for (const tab of this.columns.querySelectorAll('[data-tab]')) tab.setAttribute('aria-pressed', String(tab.dataset.tab === this.chosen));
    for (const column of this.columns.querySelectorAll('.column')) column.classList.toggle('chosen', column.dataset.status === this.chosen);
  }
}

/* Puts these children there in this order, and touches none that stands right. */
function place(parent, children) {
  children.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
}
