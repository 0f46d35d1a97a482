/* SPDX-License-Identifier: Apache-2.0 */
/* settings.js - a restaurant's courier firms, platforms and devices. Secrets are shown once, in a dialog of their own. */
import { all, patch, post, put, remove } from './api.js';
import { announce, button, dialog, el, field, replace } from './dom.js';
import { moment, platformName, t } from './words.js';

/* What each platform asks for; docs/platforms.md says where to get it. */
const CREDENTIALS = {
  getiryemek: ['appSecretKey', 'restaurantSecretKey'],
  yemeksepeti: ['loginUrl', 'username', 'password'],
  trendyolyemek: ['supplierId', 'apiKey', 'apiSecret', 'agentName', 'executorUser'],
  migrosyemek: ['apiKey', 'integratorSecret'],
  dukkango: ['appSecretKey', 'restSecretKey'],
  yandex: [],
};

/* A secret that will never be shown again. */
function showOnce(title, rows, hint) {
  dialog(title, t('close'), el('p', {}, hint), rows.map(([label, text]) => {
    const shown = el('input', { readonly: true, value: text, 'aria-label': label, class: 'secret', onfocus: (event) => event.target.select() });

    return el('div', { class: 'once' }, el('span', {}, label), shown, button(t('copy'), async () => {
      await navigator.clipboard.writeText(text);
      announce(t('copied'));
    }));
  }));
}

/* A form in a dialog; `save` gets the fields by name, and closes it where it does not throw. */
function ask(title, fields, save) {
  const trouble = el('p', { class: 'trouble', role: 'alert' });
  const box = dialog(title, t('cancel'), el('form', { onsubmit: async (event) => {
    event.preventDefault();
    trouble.textContent = '';
    try {
      const values = Object.fromEntries(fields.map((one) => [one.control.name, one.control.type === 'checkbox' ? one.control.checked : one.control.value.trim()]));
      const after = await save(values);

      box.close();
      after?.();
    } catch (error) {
      trouble.textContent = error.message;
    }
  } }, fields, el('button', { class: 'main' }, t('save')), trouble));
}

function confirm(text, act) {
  const box = dialog(text, t('cancel'), button('OK', async () => {
    await act();
    box.close();
  }, { class: 'danger' }));
}

export class Settings {
  constructor(frame) {
    this.path = frame.path;
  }

  draw(content) {
    this.firms = el('section', {});
    this.platforms = el('section', {});
    this.devices = el('section', {});
    replace(content, el('div', { class: 'page' }, el('h1', {}, t('settings')), this.firms, this.platforms, this.devices));
    this.reload();
  }

  reload() {
    for (const [place, show] of [[this.firms, this.showFirms], [this.platforms, this.showPlatforms], [this.devices, this.showDevices]])
      show.call(this).catch((error) => replace(place, el('p', { class: 'trouble', role: 'alert' }, error.message)));
  }

  /* ---- courier firms ---- */

  firmFields(firm = {}) {
    return [field(t('firm_name'), { name: 'name', required: true, maxlength: '200', value: firm.name ?? '' }),
      field(t('firm_url'), { name: 'dispatchUrl', type: 'url', value: firm.dispatchUrl ?? '' }, t('firm_url_hint')),
      field(t('firm_auto'), { name: 'autoDispatch', type: 'checkbox', checked: firm.autoDispatch ?? false }),
      field(t('firm_notify_cancel'), { name: 'notifyCancel', type: 'checkbox', checked: firm.notifyCancel ?? false })];
  }

  rotate(firm, what) {
    const word = what === 'rotate-key' ? 'rotate_key' : 'rotate_secret';

    ask(`${t(word)}: ${firm.name}`, [field(t('rotate_grace'), { name: 'hours', type: 'number', min: '0', max: '168', value: '24', required: true })],
      async ({ hours }) => {
        const made = await post(`${this.path}/courier-integrations/${firm.integrationId}/${what}`, { graceSeconds: Math.round(Number(hours) * 3600) });
        const rows = made.apiKey ? [[t('key'), made.apiKey]] : [[t('secret'), made.signingSecret]];

        await this.showFirms();
        return () => showOnce(firm.name, rows, `${t('key_once')} ${t('old_until')}: ${moment(made.oldKeyValidUntil ?? made.oldSecretValidUntil)}`);
      });
  }

  async showFirms() {
    const firms = await all(`${this.path}/courier-integrations`);
    const at = (firm) => `${this.path}/courier-integrations/${firm.integrationId}`;
    const save = (firm) => async ({ dispatchUrl, ...rest }) => {
      await patch(at(firm), { ...rest, dispatchUrl: dispatchUrl || null });
      await this.showFirms();
    };

    replace(this.firms, el('h2', {}, t('firms')),
      el('p', {}, el('a', { href: `/docs/${document.documentElement.lang}` }, t('firm_guide'))), firms.map((firm) => el('article', { class: 'row' },
      el('p', {}, el('b', {}, firm.name), ' ', el('span', { class: `state ${firm.active ? 'ok' : 'off'}` }, t(firm.active ? 'firm_active' : 'firm_inactive')),
        firm.autoDispatch ? el('span', { class: 'state ok' }, t('firm_auto')) : null),
      el('p', {}, `${t('key')}: ${firm.keyPrefix ?? ''}…${firm.keyLast4 ?? ''}`, firm.dispatchUrl ? ` · ${firm.dispatchUrl}` : ''),
      firm.dispatchGoneAt ? el('p', { class: 'trouble' }, t('firm_gone')) : null,
      el('div', { class: 'acts' },
        button(t('firm_edit'), () => ask(firm.name, this.firmFields(firm), save(firm))),
        firm.dispatchUrl ? button(t('firm_test'), async () => {
          await post(`${at(firm)}/test-order`);
          announce(t('firm_tested'));
          dialog(t('firm_tested'), t('close'));
        }) : null,
        button(t('rotate_key'), () => this.rotate(firm, 'rotate-key')),
        button(t('rotate_secret'), () => this.rotate(firm, 'rotate-signing-secret')),
        button(t(firm.active ? 'firm_deactivate' : 'firm_activate'), async () => {
          await patch(at(firm), { active: !firm.active });
          await this.showFirms();
        }),
        button(t('firm_delete'), () => confirm(t('firm_delete_sure'), async () => {
          await remove(at(firm));
          await this.showFirms();
        }), { class: 'danger' })))),
    button(t('firm_new'), () => ask(t('firm_new'), this.firmFields({ autoDispatch: !firms.some((firm) => firm.autoDispatch) }), async ({ dispatchUrl, autoDispatch, ...rest }) => {
      const made = await post(`${this.path}/courier-integrations`, { ...rest, ...(dispatchUrl ? { dispatchUrl, autoDispatch } : {}) });

      await this.showFirms();
      return () => showOnce(made.name, [[t('key'), made.apiKey], [t('secret'), made.signingSecret], [t('restaurant_id'), this.path.split('/').at(-1)]], t('key_once'));
    }), { class: 'main' }));
  }

  /* ---- platforms ---- */

  connect(name, connection) {
    const fields = CREDENTIALS[name].map((one) => field(one, { name: one, required: !connection, type: /secret|password|apiKey/i.test(one) ? 'password' : 'text' }));

    ask(platformName(name), fields, async (values) => {
      const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value));
      const made = await put(`${this.path}/platforms/${name}`, { enabled: true, ...(fields.length ? { credentials: given } : {}) });

      await this.showPlatforms();
      return made.clientSecret ? () => showOnce(platformName(name),
        [['clientId', made.clientId], ['clientSecret', made.clientSecret], ['baseUrl', made.baseUrl ?? location.origin]], t('key_once')) : null;
    });
  }

  async showPlatforms() {
    const connections = Object.fromEntries((await all(`${this.path}/platforms`)).map((one) => [one.platform, one]));

    replace(this.platforms, el('h2', {}, t('platforms')), Object.keys(CREDENTIALS).map((name) => {
      const connection = connections[name];
      const at = `${this.path}/platforms/${name}`;
      const said = el('p', { role: 'status' });

      return el('article', { class: 'row', 'data-platform': name },
        el('p', {}, el('b', {}, platformName(name)), ' ', connection
          ? el('span', { class: `state ${!connection.enabled ? 'off' : connection.state === 'login_failed' ? 'bad' : 'ok'}` },
            connection.enabled ? t(`account.${connection.state}`) : t('platform_off'))
          : el('span', { class: 'state off' }, t('platform_none'))),
        connection?.lastError ? el('p', { class: 'trouble' }, connection.lastError) : null,
        connection?.breaker === 'open' ? el('p', { class: 'trouble' }, t('breaker_open')) : null,
        said,
        el('div', { class: 'acts' },
          button(t(connection ? 'platform_change' : 'platform_connect'), () => this.connect(name, connection)),
          connection && name !== 'yandex' ? button(t('platform_test'), async () => {
            const { ok, reason } = await post(`${at}/test`);

            said.textContent = ok ? t('platform_ok') : `${t('platform_bad')}: ${reason}`;
            said.className = ok ? 'fine' : 'trouble';
          }) : null,
          connection ? button(t(connection.enabled ? 'platform_disable' : 'platform_enable'), async () => {
            await put(at, { enabled: !connection.enabled });
            await this.showPlatforms();
          }) : null,
          connection ? button(t('platform_remove'), () => confirm(t('platform_remove_sure'), async () => {
            await remove(at);
            await this.showPlatforms();
          }), { class: 'danger' }) : null));
    }));
  }

  /* ---- devices ---- */

  async showDevices() {
    const tokens = await all(`${this.path}/tokens`);

    replace(this.devices, el('h2', {}, t('devices')), tokens.map((one) => el('article', { class: 'row' },
      el('p', {}, el('b', {}, one.name), ` ${one.prefix ?? 'krt_'}…${one.last4 ?? ''} · ${t('device_last')}: ${one.lastUsedAt ? moment(one.lastUsedAt) : t('never')}`),
      el('div', { class: 'acts' }, button(t('device_revoke'), () => confirm(t('device_revoke_sure'), async () => {
        await remove(`${this.path}/tokens/${one.tokenId}`);
        await this.showDevices();
      }), { class: 'danger' })))),
    button(t('device_new'), () => ask(t('device_new'), [field(t('device_name'), { name: 'name', required: true, maxlength: '200' })], async ({ name }) => {
      const made = await post(`${this.path}/tokens`, { name });

      await this.showDevices();
      return () => showOnce(made.name, [[t('login_token'), made.token]], t('device_once'));
    })));
  }
}

