/* SPDX-License-Identifier: Apache-2.0 */
/* order.js - one order whole: what, for whom, what happened, who was told of it, and all that can be done with it. */
import { get, post, put } from './api.js';
import { FINAL, STATUSES, code } from './board.js';
import { announce, button, dialog, el, replace } from './dom.js';
import { moment, money, platformName, t } from './words.js';

const line = (term, ...text) => (text.some(Boolean) ? [el('dt', {}, term), el('dd', {}, ...text)] : null);

function person(order) {
  const { address = {}, details = {} } = order.customer ?? {};
  const place = address.detailedAddress ?? [address.street, address.buildingNo, address.neighborhood, address.district, address.city].filter(Boolean).join(' ');

  return el('dl', {},
    line(t('customer'), [details.name, details.phone].filter(Boolean).join(' · ')),
    line(t('address'), place, address.directions && el('small', {}, address.directions)),
    line(t('order_note'), order.orderNote), line(t('courier_note'), order.courierNote),
    line(t('payment'), `${money(order.price)} · ${t(`payment.${order.paymentMethod}`)}`, order.originalPaymentMethod && el('small', {}, order.originalPaymentMethod)));
}

function dishes(order) {
  return order.items?.length ? [el('h3', {}, t('items')), el('ul', { class: 'items' }, order.items.map((item) => el('li', {},
    el('b', {}, `${item.quantity}×`), ' ', item.name, item.price !== null && item.price !== undefined ? ` · ${money(item.price)}` : '',
    item.options?.length ? el('small', {}, item.options.join(', ')) : null, item.note ? el('em', {}, item.note) : null)))] : null;
}

function history(order) {
  return [el('h3', {}, t('history')), el('ol', { class: 'history' }, order.history.map((row) => el('li', {},
    el('time', { datetime: row.at }, moment(row.at)), ` ${t(`status.${row.status}`)} (${t(`by.${row.by}`)})`,
    row.note ? el('em', {}, row.note) : null)))];
}

export function deliveryRow(delivery, after) {
  const who = delivery.platform ? platformName(delivery.platform) : t('courier');

  return el('div', { class: `delivery ${delivery.state}` },
    el('p', {}, el('b', {}, who), ' ', el('span', { class: 'state' }, t(`state.${delivery.state}`)),
      delivery.step ? ` · ${t(`step.${delivery.step}`)}` : '', delivery.reason ? ` · ${delivery.reason}` : '',
      delivery.nextTryAt ? ` · ${t('next_try')} ${moment(delivery.nextTryAt)}` : ''),
    delivery.state === 'failed' && delivery.step === 'cancel' ? el('p', { class: 'trouble' }, t('refused_cancel')) : null,
    delivery.log?.length ? el('ol', { class: 'log' }, delivery.log.map((row) => el('li', {},
      el('time', { datetime: row.at }, moment(row.at)), ` ${t(`step.${row.step}`)}: ${t(`result.${row.result}`)}`,
      row.httpStatus ? ` (${row.httpStatus})` : '', row.reason ? ` ${row.reason}` : ''))) : null,
    delivery.state === 'failed' ? button(t('replay'), async () => after(await post(`/api/v1/deliveries/${delivery.deliveryId}/replay`))) : null);
}

/* ---- cancel ---- */

async function askCancel(order, done) {
  const list = el('div', { class: 'choices' });
  const note = el('input', { type: 'text', maxlength: '300', 'aria-label': t('cancel_note'), placeholder: t('cancel_note') });
  const box = dialog(`${t('do.cancelled')}: ${code(order)}`, t('cancel'), el('p', {}, t('cancel_why')), list, note);
  const cancel = (reasonId) => async () => {
    await put(`/api/v1/orders/${order.orderId}/status`, { status: 'cancelled', ...(reasonId ? { reasonId } : {}), ...(note.value.trim() ? { note: note.value.trim() } : {}) });
    box.close();
    done();
  };
  let reasons = [];
  let trouble = null;

  try {
    reasons = await get(`/api/v1/orders/${order.orderId}/cancel-reasons`);
  } catch {
    trouble = el('p', { class: 'trouble', role: 'alert' }, t('cancel_reasons_gone'));
  }
  replace(list, trouble, reasons.map((one) => button(one.reason, cancel(one.id))),
    button(t('cancel_other'), cancel(null), { class: 'quiet' }));
}

/* ---- courier ---- */

async function askCourier(frame, order, done) {
  const firms = (await get(`${frame.path}/courier-integrations`)).filter((firm) => firm.active && firm.dispatchUrl);
  const list = el('div', { class: 'choices' });
  const box = dialog(`${t('call_courier')}: ${code(order)}`, t('cancel'), el('p', {}, firms.length ? t('which_firm') : t('no_firm')), list);
  const tell = async (firm, again) => {
    await post(`/api/v1/orders/${order.orderId}/call-courier`, { integrationId: firm.integrationId, again });
    announce(t('courier_called'));
    box.close();
    done();
  };
  const row = (firm) => {
    const made = el('div', {}, button(firm.name, async () => {
      try {
        await tell(firm, false);
      } catch (error) {
        if (error.status !== 409) throw error;
        replace(made, el('p', { class: 'trouble', role: 'alert' }, error.message), button(`${firm.name}: ${t('call_again')}`, () => tell(firm, true)));
      }
    }));
    return made;
  };

  replace(list, firms.map(row));
}

/* ---- the dialog ---- */

export async function showOrder(frame, id) {
  const body = el('div', { class: 'order' });
  const box = dialog(t('details'), t('close'), body);
  let shown = 0;   /* rev: answers may overtake each other */
  const draw = async () => {
    const order = await get(`/api/v1/orders/${id}`);
    const rank = STATUSES.indexOf(order.status);

    frame.board.take(order);
    if (!box.isConnected || order.rev < shown) return;
    shown = order.rev;
    box.querySelector('h2').textContent = `${code(order)} · ${platformName(order.platform)} · ${t(`status.${order.status}`)}`;
    replace(body,
      FINAL.includes(order.status) ? null : el('div', { class: 'acts' },
        [...STATUSES.slice(Math.max(1, rank + 1)), 'teslim-edildi'].map((status) => button(t(`do.${status}`), async () => {
          await put(`/api/v1/orders/${id}/status`, { status });
          await draw();
        }, { class: status === 'hazirlanacak' ? 'main' : '' })),
        rank < 4 && order.orderType !== 'gel_al' && order.courierType !== 'platform'
          ? button(t('call_courier'), () => askCourier(frame, order, draw)) : null,
        button(t('do.cancelled'), () => askCancel(order, draw), { class: 'danger' })),
      person(order), dishes(order), history(order),
      order.deliveries.length ? [el('h3', {}, t('calls')), order.deliveries.map((one) => deliveryRow(one, draw))] : null);
  };

  try {
    await draw();
  } catch (error) {
    replace(body, el('p', { class: 'trouble', role: 'alert' }, error.message));
  }
}
