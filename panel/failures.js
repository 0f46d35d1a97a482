/* SPDX-License-Identifier: Apache-2.0 */
/* failures.js - what a platform or courier firm was not told, and telling it again. */
import { all, post } from './api.js';
import { button, el, replace } from './dom.js';
import { deliveryRow, showOrder } from './order.js';
import { t } from './words.js';

export class Failures {
  constructor(frame) {
    this.frame = frame;
    this.rows = [];
  }

  /* Answers may overtake each other: only that of the last question counts. */
  async load() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const rows = await all('/api/v1/deliveries?state=failed', 200);

    if (turn !== this.turn) return;
    this.rows = rows;
    this.frame.drawCount(this.rows.length);
    if (this.content?.isConnected) this.fill();
  }

  /* What is told is shown at once, and asked about for what else there is. */
  add(delivery) {
    this.rows = [delivery, ...this.rows.filter((row) => row.deliveryId !== delivery.deliveryId)];
    this.frame.drawCount(this.rows.length);
    if (this.content?.isConnected) this.fill();
    this.load().catch(() => {});
  }

  /* A new move of the order tries all anew. */
  heard(order) {
    if (this.rows.some((row) => row.orderId === order.orderId)) this.load().catch(() => {});
  }

  fill() {
    replace(this.content, el('h1', {}, t('failures')),
      this.rows.length ? button(t('replay_all'), async () => {
        await post('/api/v1/deliveries/replay', { state: 'failed' });
        await this.load();
      }) : el('p', { class: 'none' }, t('all_fine')),
      this.rows.map((row) => el('article', { class: 'failure' },
        el('button', { type: 'button', class: 'code', onclick: () => showOrder(this.frame, row.orderId) },
          this.frame.board.orders.get(row.orderId)?.displayId ?? `#${row.orderId.slice(-4)}`),
        deliveryRow(row, () => this.load()))));
  }

  draw(content) {
    this.content = el('section', { class: 'page' });
    replace(content, this.content);
    this.fill();
    this.load().catch((error) => this.content.append(el('p', { class: 'trouble', role: 'alert' }, error.message)));
  }
}
